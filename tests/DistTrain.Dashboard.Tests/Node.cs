using System.Diagnostics;

namespace DistTrain.Dashboard.Tests;

/// <summary>Runs scripts in Node.js, with the packages of the folder Browser and a browser of this machine.</summary>
public static class Node
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static string Chromium => Environment.GetEnvironmentVariable("DISTTRAIN_CHROMIUM") ?? "/usr/bin/chromium";

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    private static string Folder => Path.Combine(Root, "tests", "DistTrain.Dashboard.Tests", "Browser");

    /// <summary>Skips a test, and says why, where the machine lacks what it takes.</summary>
    public static void SkipWithoutBrowser()
    {
        SkipWithoutPackages();
        Skip.IfNot(File.Exists(Chromium), $"There is no {Chromium}; DISTTRAIN_CHROMIUM names another.");
        Skip.If(new DashboardPages().Missing is not null, "The pages are not built: dotnet build -c Release src/DistTrain.Cli -p:FrontEnd=true");
    }

    /// <summary>Skips a test, and says why, where Node.js or its packages are missing.</summary>
    public static void SkipWithoutPackages() => Skip.IfNot(
        Directory.Exists(Path.Combine(Folder, "node_modules")), "Node.js packages are not installed: npm ci --ignore-scripts in tests/DistTrain.Dashboard.Tests/Browser");

    /// <summary>Runs a script to its end and returns what it printed; fails with what it says where it fails.</summary>
    public static string Run(string script, params string[] args)
    {
        ProcessStartInfo start = new("node") { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(script);
        foreach (string argument in args)
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{script} {string.Join(' ', args)} did not end within {Patience}.");
        }

        process.ExitCode.ShouldBe(0, error.GetAwaiter().GetResult());
        return output.GetAwaiter().GetResult();
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "DistTrain.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests run inside the repository.");
    }
}
