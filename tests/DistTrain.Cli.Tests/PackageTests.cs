using System.Diagnostics;

namespace DistTrain.Cli.Tests;

/// <summary>The tool as a package: what was built is packed, installed in a home where nothing is, and trains there.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("disttrain-tool-").FullName;

    private string Home => Path.Combine(_folder, "home");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ThePackedToolIsInstalledInACleanHomeAndTrainsThere()
    {
        Directory.CreateDirectory(Home);

        // Its documentation, which packages of libraries carry and the tool has no use for, would be a build of its own.
        Run("dotnet", ["pack", Path.Combine(Repository.Root, "src", "DistTrain.Cli"), "-c", Repository.Configuration, "--no-build", "-p:GenerateDocumentationFile=false", "-o", Path.Combine(_folder, "packages")]);
        string sources = Path.Combine(_folder, "nuget.config");
        File.WriteAllText(sources, "<configuration><packageSources><clear /><add key=\"packed\" value=\"packages\" /></packageSources></configuration>");
        Run("dotnet", ["tool", "install", "--global", "disttrain", "--configfile", sources]);
        string tool = Path.Combine(Home, ".dotnet", "tools", OperatingSystem.IsWindows() ? "disttrain.exe" : "disttrain");
        Run(tool, ["train", "xor", "--out", "threads", "--json"]).ShouldContain("\"status\": \"completed\"");
        File.Exists(Path.Combine(Home, "threads", "model.safetensors")).ShouldBeTrue();

        // The children of this engine are the same program, which is not where it was built.
        Run(tool, ["train", "xor", "--engine", "processes", "--workers", "1", "--out", "processes", "--json"]).ShouldContain("\"status\": \"completed\"");
        File.ReadAllBytes(Path.Combine(Home, "processes", "model.safetensors")).ShouldBe(File.ReadAllBytes(Path.Combine(Home, "threads", "model.safetensors")));
    }

    private string Run(string program, string[] args)
    {
        ProcessStartInfo start = new(program, args) { WorkingDirectory = Home, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach ((string name, string value) in new[]
        {
            ("HOME", Home), ("USERPROFILE", Home), ("DOTNET_CLI_HOME", Home), ("NUGET_PACKAGES", Path.Combine(_folder, "nuget")), ("DOTNET_NOLOGO", "1"),
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("DOTNET_GENERATE_ASPNET_CERTIFICATE", "false"), ("MSBUILDDISABLENODEREUSE", "1"),
        })
        {
            start.Environment[name] = value;
        }

        // What the test host was told about itself is not for other programs.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.Ordinal) || name.StartsWith("VSTEST", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        if (Environment.ProcessPath is string host && Path.GetFileNameWithoutExtension(host) == "dotnet")
        {
            start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(host);
        }

        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', args)} did not end within {Patience}.");
        }

        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', args)}\n{output.GetAwaiter().GetResult()}{error.GetAwaiter().GetResult()}");
        return output.GetAwaiter().GetResult();
    }
}
