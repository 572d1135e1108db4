using System.Diagnostics;
using System.Reflection;

namespace DistTrain.Engines.Processes;

/// <summary>How a process that hosts actors is started.</summary>
/// <param name="FileName">The executable.</param>
/// <param name="Arguments">Its arguments.</param>
public sealed record ChildProgram(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>The running program itself, with the verb that makes it a child.</summary>
    public static ChildProgram Current
    {
        get
        {
            string executable = Environment.ProcessPath ?? throw new InvalidOperationException("The running program has no path.");
            bool isShared = Path.GetFileNameWithoutExtension(executable) == "dotnet";
            return isShared ? Managed(Assembly.GetEntryAssembly()!.Location) : new ChildProgram(executable, [ProcessesChild.Verb]);
        }
    }

    /// <summary>A program that is an assembly and needs `dotnet` to run.</summary>
    public static ChildProgram Managed(string assembly)
    {
        string? running = Environment.ProcessPath;
        string dotnet = Path.GetFileNameWithoutExtension(running) == "dotnet" ? running! : "dotnet";
        return new ChildProgram(dotnet, ["exec", assembly, ProcessesChild.Verb]);
    }

    /// <summary>What starts it, with all three streams in the parent's hands.</summary>
    internal ProcessStartInfo StartInfo()
    {
        ProcessStartInfo start = new(FileName)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };

        // Compiling everything once more with counters in it pays in a process that lives long; here it would only delay each start and
        // restart, and kernels are compiled in their final form at once anyway.
        start.Environment["DOTNET_TieredPGO"] = "0";

        // A child that is killed leaves the sockets for debuggers behind, of which nobody ever cleans the folder for temporary files. Whoever wants them sets this to 1.
        start.Environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        foreach (string argument in Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
