using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace DistTrain.Akka.Tests.Clusters;

/// <summary>Three hosts in network namespaces of their own, on one bridge. Needs root; delay and loss need netem in the kernel.</summary>
public sealed class ThreeHostsTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void ThreeHostsOnASlowNetworkTrainTheSameWeights()
    {
        using Hosts hosts = Hosts.Create();
        output.WriteLine(hosts.Slow("delay 20ms loss 1%") ? "every link has 20 ms delay and 1 % loss" : "netem is not in this kernel: links are as fast as they are");
        hosts.Begin();
        string experiment = Experiments.Wide(epochs: 2, copies: 2);
        using NodeProcess client = hosts.Train(experiment);
        TestCluster.Weights(hosts.Finish(client)).ShouldBe(hosts.OnThreads(experiment));
    }

    [SkippableTheory]
    [InlineData("coordinator")]
    [InlineData("layer-2/replica-0")]
    public void TheSideWithMostHostsGoesOnAndTheOtherStops(string cutOff)
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        string experiment = Experiments.Wide(epochs: 120, checkpointEvery: 1_000_000, copies: 2);
        using NodeProcess client = hosts.Train(experiment);
        int host = hosts.HostOf(cutOff, step: 20);
        long cutAt = Stopwatch.GetTimestamp();
        hosts.Cut(host);
        hosts.Nodes[host].WaitForExit(TestCluster.Patience).ShouldBeTrue();
        hosts.Nodes[host].ExitCode.ShouldBe(3);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the side with one host stopped after {Stopwatch.GetElapsedTime(cutAt).TotalSeconds:F1} s"));
        JsonElement summary = hosts.Finish(client);
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));
        summary.GetProperty("restarts").GetInt32().ShouldBeGreaterThan(0);
    }

    [SkippableFact]
    public void WhenEveryHostIsAloneAllStop()
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        using NodeProcess client = hosts.Train(Experiments.Wide(epochs: 10_000, copies: 2));
        hosts.HostOf("coordinator", step: 10);
        for (int host = 0; host < hosts.Nodes.Count; host++)
        {
            hosts.Cut(host);
        }

        foreach (NodeProcess node in hosts.Nodes)
        {
            node.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            node.ExitCode.ShouldBe(3);
        }

        client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        client.ExitCode.ShouldBe(3);
    }

    [SkippableFact]
    public void APartitionThatHealsInTimeCostsNothingButTime()
    {
        using Hosts hosts = Hosts.Create();
        hosts.Begin();
        string experiment = Experiments.Wide(epochs: 120, copies: 2);
        using NodeProcess client = hosts.Train(experiment);
        int host = hosts.HostOf("layer-2/replica-0", step: 20);
        hosts.Cut(host);
        hosts.Wait(TimeSpan.FromSeconds(1));
        hosts.Heal(host);
        JsonElement summary = hosts.Finish(client);
        TestCluster.Weights(summary).ShouldBe(hosts.OnThreads(experiment));
        hosts.Nodes.ShouldAllBe(node => node.Lives);
    }

    /// <summary>The hosts.</summary>
    private sealed class Hosts : IDisposable
    {
        private const int Count = 3, Port = 4711;
        private const string Hub = "disttrain-hub";
        private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-hosts-");

        public List<NodeProcess> Nodes { get; } = [];

        private static string Addresses => string.Join(',', Enumerable.Range(0, Count).Select(host => $"{AddressOf(host)}:{Port}"));

        public static Hosts Create()
        {
            Skip.IfNot(Environment.UserName == "root" && Run("ip", "netns", "list"), "network namespaces need root and ip");
            Hosts hosts = new();
            hosts.Remove();
            bool made = Run("ip", "netns", "add", Hub)
                && In(Hub, "ip", "link", "add", "bridge", "type", "bridge") && In(Hub, "ip", "addr", "add", "10.77.0.254/24", "dev", "bridge")
                && In(Hub, "ip", "link", "set", "bridge", "up") && In(Hub, "ip", "link", "set", "lo", "up");
            for (int host = 0; host < Count && made; host++)
            {
                string name = NameOf(host);
                made = Run("ip", "netns", "add", name)
                    && In(Hub, "ip", "link", "add", $"v{host}", "type", "veth", "peer", "name", "eth0", "netns", name)
                    && In(Hub, "ip", "link", "set", $"v{host}", "master", "bridge", "up")
                    && In(name, "ip", "addr", "add", $"{AddressOf(host)}/24", "dev", "eth0")
                    && In(name, "ip", "link", "set", "eth0", "up") && In(name, "ip", "link", "set", "lo", "up");
            }

            if (!made)
            {
                hosts.Dispose();
            }

            Skip.IfNot(made, "namespaces, bridges or veth pairs cannot be made here");
            return hosts;
        }

        public bool Slow(string netem) => Enumerable.Range(0, Count).All(host =>
            In(NameOf(host), ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", .. netem.Split(' ')]));

        public void Begin()
        {
            for (int host = 0; host < Count; host++)
            {
                string folder = Path.Combine(_root.FullName, NameOf(host));
                Directory.CreateDirectory(folder);
                File.WriteAllText(Path.Combine(folder, "cluster.conf"), $$"""
                    disttrain {
                      node { host = "{{AddressOf(host)}}", port = {{Port}}, data-dir = "data", compute-threads = 1 }
                      cluster { seeds = ["{{AddressOf(0)}}:{{Port}}", "{{AddressOf(1)}}:{{Port}}"] }
                    }
                    """);
                Nodes.Add(NodeProcess.Start(folder, TestCluster.Secret, Inside(NameOf(host)), "node", "--config", "cluster.conf"));
            }

            WaitFor(() => Status()?.Members.Count(member => member.State == "up") == Count, "three hosts");
        }

        public NodeProcess Train(string experiment)
        {
            string file = Path.Combine(_root.FullName, "experiment.yaml");
            File.WriteAllText(file, experiment);
            return NodeProcess.Start(_root.FullName, TestCluster.Secret, Inside(Hub), "train", file, "--cluster", Addresses, "--json", "--out", file + ".run");
        }

        public JsonElement Finish(NodeProcess client)
        {
            client.WaitForExit(TestCluster.Patience).ShouldBeTrue();
            string text = string.Join('\n', client.Lines);
            text.ShouldContain("{");
            return JsonDocument.Parse(text[text.IndexOf('{', StringComparison.Ordinal)..(text.LastIndexOf('}') + 1)]).RootElement;
        }

        public string OnThreads(string experiment)
        {
            string file = Path.Combine(_root.FullName, "threads.yaml");
            File.WriteAllText(file, experiment);
            using NodeProcess run = NodeProcess.Start(_root.FullName, null, [], "train", file, "--json", "--out", file + ".run");
            return TestCluster.Weights(Finish(run));
        }

        public int HostOf(string actor, long step)
        {
            StatusReport? status = null;
            WaitFor(() => (status = Status())?.Run?.Step >= step, $"step {step}");
            string address = status!.Members.First(member => member.Actors?.Contains(actor) ?? false).Address;
            return Enumerable.Range(0, Count).First(host => address.Contains($"@{AddressOf(host)}:", StringComparison.Ordinal));
        }

        public void Cut(int host) => In(Hub, "ip", "link", "set", $"v{host}", "down").ShouldBeTrue();

        public void Heal(int host) => In(Hub, "ip", "link", "set", $"v{host}", "up").ShouldBeTrue();

        public void Wait(TimeSpan time)
        {
            using ManualResetEventSlim never = new();
            never.Wait(time);
        }

        public void Dispose()
        {
            Nodes.ForEach(node => node.Dispose());
            Remove();
            _root.Delete(recursive: true);
        }

        private StatusReport? Status()
        {
            using NodeProcess status = NodeProcess.Start(_root.FullName, TestCluster.Secret, Inside(Hub), "status", "--json", "--cluster", Addresses);
            return status.WaitForExit(TestCluster.Patience) && status.ExitCode == 0
                ? JsonSerializer.Deserialize(status.Lines.First(line => line.StartsWith('{')), NodeJson.Default.StatusReport)
                : null;
        }

        private void WaitFor(Func<bool> holds, string what)
        {
            long start = Stopwatch.GetTimestamp();
            while (!holds())
            {
                (Stopwatch.GetElapsedTime(start) < TestCluster.Patience).ShouldBeTrue(
                    $"waited for {what}; {string.Join('\n', Nodes.SelectMany(node => node.Lines.TakeLast(8)))}");
                Wait(TimeSpan.FromMilliseconds(100));
            }
        }

        private void Remove()
        {
            for (int host = 0; host < Count; host++)
            {
                Run("ip", "netns", "del", NameOf(host));
            }

            Run("ip", "netns", "del", Hub);
        }

        private static string NameOf(int host) => $"disttrain-host-{host}";

        private static string AddressOf(int host) => $"10.77.0.{host + 1}";

        private static string[] Inside(string name) => ["ip", "netns", "exec", name];

        private static bool In(string name, params IReadOnlyList<string> command) => Run([.. Inside(name), .. command]);

        private static bool Run(params IReadOnlyList<string> command)
        {
            try
            {
                using Process process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardError = true, RedirectStandardOutput = true })!;
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
