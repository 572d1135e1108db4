using System.Diagnostics;

namespace DistTrain.Cli.Tests;

/// <summary>Starts the built executable in a folder of its own.</summary>
public sealed class Disttrain : IDisposable
{
    // Far more than any of these runs takes: a hang fails the test instead of blocking the build.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The program where it was built, as users start it: in Release it is compiled ahead of time there, and beside the tests it is not.</summary>
    public static string Program { get; } =
        Path.Combine(Repository.Root, "src", "DistTrain.Cli", "bin", Repository.Configuration, new DirectoryInfo(AppContext.BaseDirectory).Name, "disttrain.dll");

    public string Folder { get; } = Directory.CreateTempSubdirectory("disttrain-cli-").FullName;

    public (int Code, string Out, string Error) Run(params string[] args)
    {
        using Process process = Start(args);
        return Finish(process);
    }

    /// <summary>Runs it in a shell, which can close streams and set variables for it.</summary>
    /// <param name="arguments">Arguments and redirections.</param>
    /// <param name="variables">Variables of its environment, as a shell sets them before a command.</param>
    public (int Code, string Out, string Error) Shell(string arguments, string variables = "")
    {
        string command = $"{variables} exec dotnet exec '{Program}' {arguments}";
        ProcessStartInfo start = new("sh", ["-c", command]) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("sh did not start.");
        return Finish(process);
    }

    public Process Start(params string[] args) => Start(redirectInput: false, args);

    public Process Start(bool redirectInput, params string[] args)
    {
        ProcessStartInfo start = new(Environment.ProcessPath is string host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = redirectInput,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Program);
        foreach (string argument in args)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
    }

    /// <summary>Waits for the end and reads both streams.</summary>
    public static (int Code, string Out, string Error) Finish(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"disttrain did not end within {Patience}.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
