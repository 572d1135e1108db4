using System.Globalization;
using System.Text;
using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>The folder that holds everything about one run.</summary>
internal sealed class RunFolder
{
    private const string RunningName = ".running";

    private RunFolder(string path, string shown)
    {
        FullPath = path;
        Shown = shown;
    }

    /// <summary>Absolute.</summary>
    public string FullPath { get; }

    /// <summary>As a user would type it from the working folder.</summary>
    public string Shown { get; }

    /// <summary>The resolved experiment.</summary>
    public string ExperimentFile => Path.Combine(FullPath, "experiment.yaml");

    /// <summary>What the data were that the run began with.</summary>
    public string DataFile => Path.Combine(FullPath, "data.json");

    /// <summary>The settings that the run began with, or was resumed with, as <see cref="ExperimentFile"/> was written then.</summary>
    public string SettingsFile => Path.Combine(JournalFolder, "settings.yaml");

    /// <summary>A process that trains here keeps this file open for itself alone.</summary>
    public string RunningFile => Path.Combine(FullPath, RunningName);

    /// <summary>One JSON line per epoch and logged step.</summary>
    public string MetricsFile => Path.Combine(FullPath, "metrics.jsonl");

    /// <summary>The outcome.</summary>
    public string SummaryFile => Path.Combine(FullPath, "summary.json");

    /// <summary>The last committed parameters.</summary>
    public string ModelFile => Path.Combine(FullPath, "model.safetensors");

    /// <summary>Jobs, waits and messages as Chrome trace events, where asked for.</summary>
    public string TraceFile => Path.Combine(FullPath, "trace.json");

    /// <summary>Snapshots.</summary>
    public string JournalFolder => Path.Combine(FullPath, "journal");

    /// <summary>
    /// Creates a folder for a new run: the given one, which must not exist or be empty, or <c>runs/name-time</c>. Throws
    /// <see cref="InvalidInputException"/> when it cannot be written.
    /// </summary>
    public static RunFolder Create(string? given, string name, string workingFolder, TimeProvider clock)
    {
        string shown = given ?? Unused(name, workingFolder, clock);
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(shown, workingFolder));
        if (given is not null)
        {
            RefuseUsed(given, path);
        }

        try
        {
            Directory.CreateDirectory(path);
            string probe = Path.Combine(path, ".writable");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            string option = given is null ? shown : $"--out {given}";
            throw new InvalidInputException(
                $"{option}: the run folder cannot be written ({refused.Message.TrimEnd('.')}); "
                + "choose another with --out DIR", refused);
        }

        return new RunFolder(path, shown);
    }

    /// <summary>Deletes all that is in it, and it: a run that was refused before its first step leaves a name free. Nothing was in it before (<see cref="Create"/>).</summary>
    public void Clear() => Directory.Delete(FullPath, recursive: true);

    /// <summary>Opens the folder of an earlier run. Throws <see cref="InvalidInputException"/> when it is none.</summary>
    public static RunFolder Open(string given, string workingFolder)
    {
        RunFolder folder = new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(given, workingFolder)), given);
        if (File.Exists(folder.ExperimentFile))
        {
            return folder;
        }

        string reason = Directory.Exists(folder.FullPath) ? "there is no experiment.yaml in it"
            : File.Exists(folder.FullPath) ? "it is a file"
            : "it does not exist";
        throw new InvalidInputException(
            $"{given}: this is not a run folder: {reason}; expected a folder that `disttrain train` has made, "
            + $"such as runs/NAME-DATE-TIME{Latest(workingFolder)}");
    }

    /// <summary>Writes a small file so that it is there whole or not at all.</summary>
    public static void WriteWhole(string path, string text) => WriteWhole(path, Encoding.UTF8.GetBytes(text));

    /// <summary>As <see cref="WholeFile"/> does.</summary>
    public static void WriteWhole(string path, byte[] bytes) => WholeFile.Write(path, file => file.Write(bytes));

    private static void RefuseUsed(string given, string path)
    {
        if (File.Exists(path))
        {
            throw new InvalidInputException(
                $"--out {given}: this is a file; expected a folder that does not exist yet or is empty");
        }

        // A run that was killed before it had anything leaves the file by which others see that somebody trains.
        if (!Directory.Exists(path) || Directory.EnumerateFileSystemEntries(path).All(entry => Path.GetFileName(entry) == RunningName))
        {
            return;
        }

        string advice = File.Exists(Path.Combine(path, "experiment.yaml"))
            ? $"to go on with the run in it, use --resume {given}; for a new run choose another folder"
            : "choose another folder, or empty this one first";
        throw new InvalidInputException($"--out {given}: this folder is not empty; {advice}");
    }

    private static string Unused(string name, string workingFolder, TimeProvider clock)
    {
        string time = clock.GetLocalNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string stem = Path.Combine("runs", $"{name.Replace(' ', '-').TrimStart('.')}-{time}");
        string candidate = stem;
        for (int number = 2; Path.Exists(Path.GetFullPath(candidate, workingFolder)); number++)
        {
            candidate = $"{stem}-{number}";
        }

        return candidate;
    }

    private static string Latest(string workingFolder)
    {
        string runs = Path.Combine(workingFolder, "runs");
        string? latest = Directory.Exists(runs)
            ? Directory.EnumerateDirectories(runs).Where(run => File.Exists(Path.Combine(run, "experiment.yaml")))
                .OrderByDescending(run => File.GetLastWriteTimeUtc(Path.Combine(run, "experiment.yaml"))).FirstOrDefault()
            : null;
        return latest is null ? "" : $"; the latest here is {Path.Combine("runs", Path.GetFileName(latest))}";
    }
}
