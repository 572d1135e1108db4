using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace DistTrain.Akka.Tests.Deploying;

/// <summary>What is in <c>deploy/</c>, as far as that can be tried without a container runtime.</summary>
public sealed partial class DeployTests : IDisposable
{
    private static readonly string Deploy = Path.Combine(AppContext.BaseDirectory, "deploy");
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("disttrain-deploy-");

    [Fact]
    public void EveryServiceOfComposeIsGivenWhatTheImagesSettingsAskFor()
    {
        YamlMappingNode services = Map(Load("compose.yaml").Single(), "services");
        string[] asked = Asked();
        foreach (KeyValuePair<YamlNode, YamlNode> service in services.Children)
        {
            // Merge keys are YAML 1.1's, which this reader leaves as they are.
            YamlMappingNode environment = Map(service.Value, "environment"), merged = Map(environment, "<<");
            string[] given = [.. environment.Children.Concat(merged.Children).Select(pair => pair.Key.ToString()).Where(key => key != "<<")];
            asked.Except(given).ShouldBeEmpty(service.Key.ToString());
            given.ShouldContain("DISTTRAIN_SECRET");
        }

        string[] workers = [.. services.Children.Keys.Select(key => key.ToString()).Where(name => name.StartsWith("worker", StringComparison.Ordinal))];
        workers.Length.ShouldBe(3);

        // Every service keeps what it has in a volume of its own, which is declared.
        string[] volumes = [.. services.Children.Values.Select(service => ((YamlSequenceNode)Map(service).Children["volumes"])[0].ToString().Split(':')[0])];
        volumes.ShouldBe(Map(Load("compose.yaml").Single(), "volumes").Children.Keys.Select(key => key.ToString()));
    }

    [Fact]
    public void TheImageHasEveryFrameworkThatTheProgramAsksFor()
    {
        using JsonDocument asked = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "disttrain-cluster.runtimeconfig.json")));
        string[] frameworks = [.. asked.RootElement.GetProperty("runtimeOptions").GetProperty("frameworks").EnumerateArray().Select(framework => framework.GetProperty("name").GetString()!)];
        string image = File.ReadAllLines(Path.Combine(Deploy, "Dockerfile")).Last(line => line.StartsWith("FROM ", StringComparison.Ordinal));

        // The image "runtime" has the first of these alone, "aspnet" both.
        image.ShouldContain(frameworks.Contains("Microsoft.AspNetCore.App") ? "/aspnet:" : "/runtime:");
        image.ShouldEndWith(asked.RootElement.GetProperty("runtimeOptions").GetProperty("tfm").GetString()!["net".Length..]);
    }

    [Fact]
    public void TheStatefulSetsPodsAreSelectedMountedAndGivenWhatTheirSettingsAskFor()
    {
        YamlMappingNode[] documents = [.. Load("kubernetes/disttrain.yaml").Cast<YamlMappingNode>()];
        documents.Select(document => document.Children["kind"].ToString()).ShouldBe(["Service", "PodDisruptionBudget", "StatefulSet"]);
        YamlMappingNode set = Map(documents[2], "spec"), template = Map(set, "template"), pod = Map(template, "spec");
        string label = Map(Map(template, "metadata"), "labels").Children["app"].ToString();
        Map(Map(set, "selector"), "matchLabels").Children["app"].ToString().ShouldBe(label);
        Map(Map(documents[0], "spec"), "selector").Children["app"].ToString().ShouldBe(label);
        Map(Map(Map(documents[1], "spec"), "selector"), "matchLabels").Children["app"].ToString().ShouldBe(label);
        set.Children["serviceName"].ToString().ShouldBe(Map(documents[0], "metadata").Children["name"].ToString());

        YamlMappingNode container = (YamlMappingNode)((YamlSequenceNode)pod.Children["containers"])[0];
        string[] given = [.. ((YamlSequenceNode)container.Children["env"]).Select(variable => Map(variable).Children["name"].ToString())];
        Asked().Except(given).ShouldBeEmpty();
        given.ShouldContain("DISTTRAIN_SECRET");
        string[] mounted = [.. ((YamlSequenceNode)container.Children["volumeMounts"]).Select(mount => Map(mount).Children["name"].ToString())];
        string[] there =
        [
            .. ((YamlSequenceNode)set.Children["volumeClaimTemplates"]).Select(claim => Map(Map(claim), "metadata").Children["name"].ToString()),
            .. ((YamlSequenceNode)pod.Children["volumes"]).Select(volume => Map(volume).Children["name"].ToString()),
        ];
        mounted.Order(StringComparer.Ordinal).ShouldBe(there.Order(StringComparer.Ordinal));

        // The ports that pods open are those of the settings.
        string settings = File.ReadAllText(Path.Combine(Deploy, "node.conf"));
        foreach (YamlNode port in (YamlSequenceNode)container.Children["ports"])
        {
            settings.ShouldContain($"port = {Map(port).Children["containerPort"]}");
        }
    }

    [SkippableFact]
    public void SystemdTakesTheUnit()
    {
        string unit = Path.Combine(_folder.FullName, "disttrain-node.service"), program = Path.Combine(_folder.FullName, "disttrain-cluster");
        File.WriteAllText(program, "#!/bin/sh\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        // The program is not installed here; everything else is as it stands.
        string text = File.ReadAllText(Path.Combine(Deploy, "systemd", "disttrain-node.service"));
        text.ShouldContain("ExecStart=/opt/disttrain/disttrain-cluster node --config");
        File.WriteAllText(unit, text.Replace("/opt/disttrain/disttrain-cluster", program, StringComparison.Ordinal));
        (int Exit, string Said)? verified = Run("systemd-analyze", "verify", unit);
        Skip.If(verified is null, "systemd-analyze is not here");
        verified!.Value.Exit.ShouldBe(0, verified.Value.Said);
        verified.Value.Said.ShouldNotContain("disttrain-node.service");
    }

    [SkippableFact]
    [Trait("Length", "long")]
    public void TheImagesCommandsFormAClusterThatIsHealthyAndTrains()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "every address of 127.0.0.0/8 is this machine on Linux alone");
        string docker = File.ReadAllText(Path.Combine(Deploy, "Dockerfile"));
        string[] node = Command(docker, "CMD [\"node"), healthy = Command(docker, "CMD [\"disttrain-cluster");
        List<NodeProcess> nodes = [];
        try
        {
            string[] folders = [.. Enumerable.Range(1, 3).Select(WriteSettings)];
            nodes.AddRange(folders.Select((folder, index) => Start(folder, index + 1, node)));
            long start = Stopwatch.GetTimestamp();
            bool isHealthy = false;
            while (!isHealthy && Stopwatch.GetElapsedTime(start) < TestCluster.Patience)
            {
                using NodeProcess check = Start(folders[2], 3, healthy[1..]);
                check.WaitForExit(TestCluster.Patience).ShouldBeTrue();
                isHealthy = check.ExitCode == 0 && check.Lines.Any(line => Regex.Count(line, "\"up\"") == 3);
            }

            isHealthy.ShouldBeTrue(string.Join('\n', nodes.SelectMany(process => process.Lines)));
            using NodeProcess client = Start(folders[0], 1, ["train", "glyphs", "--set", "training.epochs=1", "--cluster", "127.0.0.1:4711,127.0.0.2:4711", "--json"]);
            client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            client.ExitCode.ShouldBe(0, string.Join('\n', client.Lines));
        }
        finally
        {
            nodes.ForEach(process => process.Dispose());
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The image's settings, where a folder of its own and an address of its own stand for a container.</summary>
    private string WriteSettings(int number)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, $"worker-{number}")).FullName;
        string text = File.ReadAllText(Path.Combine(Deploy, "node.conf"));
        foreach ((string there, string here) in new[] { ("\"0.0.0.0\"", "${DISTTRAIN_HOST}"), ("/var/lib/disttrain", Path.Combine(folder, "data")), ("/datasets", folder) })
        {
            text.ShouldContain(there);
            text = text.Replace(there, here, StringComparison.Ordinal);
        }

        File.WriteAllText(Path.Combine(folder, "cluster.conf"), text);
        return folder;
    }

    private static NodeProcess Start(string folder, int number, string[] command) => NodeProcess.Start(
        folder,
        TestCluster.Secret,
        ["env", $"DISTTRAIN_HOST=127.0.0.{number}", "DISTTRAIN_SEED_1=127.0.0.1:4711", "DISTTRAIN_SEED_2=127.0.0.2:4711"],
        [.. command.Select(argument => argument == "/etc/disttrain/cluster.conf" ? Path.Combine(folder, "cluster.conf") : argument)]);

    private static string[] Command(string docker, string begins)
    {
        int start = docker.IndexOf(begins, StringComparison.Ordinal) + "CMD ".Length;
        return [.. Quoted().Matches(docker[start..docker.IndexOf(']', start)]).Select(match => match.Groups[1].Value)];
    }

    /// <summary>The variables without which the image's settings cannot be read.</summary>
    private static string[] Asked() =>
        [.. Required().Matches(File.ReadAllText(Path.Combine(Deploy, "node.conf"))).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal)];

    private static List<YamlNode> Load(string file)
    {
        YamlStream stream = [];
        using StreamReader reader = File.OpenText(Path.Combine(Deploy, file));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => document.RootNode)];
    }

    private static YamlMappingNode Map(YamlNode node) => (YamlMappingNode)node;

    private static YamlMappingNode Map(YamlNode node, string key) => (YamlMappingNode)((YamlMappingNode)node).Children[key];

    private static (int Exit, string Said)? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            string said = process.StandardError.ReadToEnd() + process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\$\{([A-Z0-9_]+)\}")]
    private static partial Regex Required();
}
