using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>doctor</c> verb: what this machine offers, and what would stop a run.</summary>
internal sealed class DoctorCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    // Below this even the smallest run has no room beside the runtime.
    private const long MemoryMin = 256L << 20, DiskMin = 64L << 20;
    private const int NodeMajorMin = 20;

    /// <summary>Prints a line per finding; 1 when one of them would stop a run.</summary>
    public int Execute(string? experiment)
    {
        List<Finding> findings =
        [
            Runtime(),
            new Finding("cores", true, $"{Environment.ProcessorCount}; each computes unless compute-threads says otherwise"),
            Simd(),
            Memory(),
            Disk(),
            RunsFolder(),
            Engines(),
            Durability(),
            Processes(),
            Pages(),
        ];
        if (experiment is not null)
        {
            findings.Add(Experiment(experiment));
        }

        foreach (Finding finding in findings)
        {
            string mark = finding.Good ? "ok" : "PROBLEM";
            host.Out.WriteLine(
                $"{mark,-8} {finding.Label,-11} "
                + $"{finding.Text.Replace("\n", "\n" + new string(' ', 21), StringComparison.Ordinal)}");
        }

        return findings.TrueForAll(finding => finding.Good) ? ExitCodes.Done : ExitCodes.DidNotHold;
    }

    private Finding Engines() => engines.Count > 0
        ? new Finding("engines", true, string.Join(", ", engines.Select(engine => engine.Name)))
        : new Finding("engines", false, "this program was built without any");

    private static Finding Durability() => new(
        "durability",
        true,
        "memory (default on threads and simulated): a lost shard or process goes on from the last snapshot\n"
        + "step (default on processes and akka): a killed process, or a lost shard, loses no committed step\n"
        + (OperatingSystem.IsWindows()
            ? "power: syncs files; this system has no call to sync a folder"
            : "power: syncs files and folders, so the loss of power loses no committed step"));

    private static Finding Processes() => ProcessesEngine.MachineProblem() is string problem
        ? new Finding("processes", false, problem)
        : new Finding("processes", true, $"sockets fit under {Path.GetTempPath()}");

    /// <summary>No run needs the pages, so that a program without them is no problem.</summary>
    private Finding Pages() => new("pages", true, host.Dashboard switch
    {
        null => "none in this program",
        { Missing: null } => "built in: disttrain dashboard, train --dashboard and report show runs in a browser",
        _ => $"not built in, which takes Node.js {NodeMajorMin} or newer ({NodeFound()}) and the npm registry;\n"
            + "with both: dotnet build -c Release src/DistTrain.Cli -p:FrontEnd=true",
    });

    private static string NodeFound()
    {
        try
        {
            using Process? node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true, RedirectStandardError = true });
            string version = node?.StandardOutput.ReadLine()?.Trim() ?? "";
            bool isEnough = int.TryParse(version.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture, out int major) && major >= NodeMajorMin;
            return version.Length == 0 ? "the one here does not tell its version" : isEnough ? $"here is {version}" : $"here is {version}, which is too old";
        }
        catch (Win32Exception)
        {
            return "there is none on the path";
        }
    }

    private static Finding Runtime()
    {
        string collector = GCSettings.IsServerGC ? "server" : "workstation";
        string concurrency = GCSettings.LatencyMode == GCLatencyMode.Batch ? "not concurrent" : "concurrent";
        string runtime = $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}";
        return new Finding("runtime", Environment.Version.Major >= 10, $"{runtime}, {collector} garbage collector, {concurrency}");
    }

    private static Finding Simd()
    {
        int bits =
            Vector512.IsHardwareAccelerated ? 512
            : Vector256.IsHardwareAccelerated ? 256
            : Vector128.IsHardwareAccelerated ? 128
            : 0;
        return new Finding("vectors", true, bits > 0
            ? $"{bits} bits, {bits / 32} float32 or {bits / 64} float64 values at once; the width never changes a result"
            : "none; kernels run one value at a time, with the same results");
    }

    private static Finding Memory()
    {
        long bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        string shortage = bytes >= MemoryMin ? "" : $"; at least {MemoryMin >> 20} MiB are needed";
        return new Finding("memory", bytes >= MemoryMin, $"{Words.Count(bytes >> 20)} MiB available to this process{shortage}");
    }

    private Finding Disk()
    {
        try
        {
            long free = new DriveInfo(host.WorkingFolder).AvailableFreeSpace;
            string shortage = free >= DiskMin ? "" : "; snapshots may not fit";
            return new Finding("disk", free >= DiskMin, $"{Words.Count(free >> 20)} MiB free for run folders{shortage}");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Finding("disk", true, $"free space is not known ({refused.Message})");
        }
    }

    private Finding RunsFolder()
    {
        string runs = Path.Combine(host.WorkingFolder, "runs");
        string probe =
            Path.Combine(Directory.Exists(runs) ? runs : host.WorkingFolder, $".disttrain-doctor-{Environment.ProcessId}");
        try
        {
            if (File.Exists(runs))
            {
                return new Finding(
                    "run folders", false, $"{runs} is a file, so no run folder can be made; move it away, or use --out DIR");
            }

            Directory.CreateDirectory(probe);
            Directory.Delete(probe);
            return new Finding("run folders", true, $"can be made under {runs}");
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return new Finding("run folders", false, $"cannot be made under {runs} ({refused.Message}); use --out DIR");
        }
    }

    private Finding Experiment(string given)
    {
        try
        {
            LoadedExperiment loaded =
                ExperimentLoader.Load(given, Overrides.None, host.WorkingFolder, [.. engines.Select(engine => engine.Name)]);
            PreparedRun run = PreparedRun.Prepare(loaded, engines, host.Stop);
            return new Finding(
                "experiment", true, $"{given}: {run.Data.Facts}; {Words.Network(run.Experiment.Settings.Network)}; "
                + $"{Words.Arrangement(run.Experiment.Settings)}");
        }
        catch (InvalidInputException error)
        {
            return new Finding("experiment", false, error.Message);
        }
    }

    private sealed record Finding(string Label, bool Good, string Text);
}
