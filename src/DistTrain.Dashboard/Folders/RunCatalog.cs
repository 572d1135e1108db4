using System.Text;
using System.Text.Json;
using DistTrain.Dashboard.Pages;

namespace DistTrain.Dashboard.Folders;

/// <summary>A line of the list of runs.</summary>
internal sealed record RunEntry(
    string Id, string Kind, string Name, string Method, string Engine, string Status, long Steps, double FinalLoss, double TrainAccuracy, double TestAccuracy,
    double Seconds, double Modified);

/// <summary>The run and study folders in a folder, newest first.</summary>
/// <param name="Entries">At most <see cref="RunCatalog.EntriesMax"/> of them.</param>
/// <param name="Count">All of them.</param>
internal sealed record RunEntries(IReadOnlyList<RunEntry> Entries, int Count);

/// <summary>
/// The run and study folders in a folder. Everything read is bounded, and a name from outside never leads out of the folder. A folder whose files are as they were is
/// not read again, so that a list of many that somebody looks at costs little. Thread-safe.
/// </summary>
internal sealed class RunCatalog(string root)
{
    /// <summary>Most folders listed, the newest ones.</summary>
    public const int EntriesMax = 500;

    private const long SummaryBytesMax = 8 << 20, TailBytes = 4096;
    private static readonly string[] Files = ["experiment.yaml", "metrics.jsonl", "summary.json", "study.json"];
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ((DateTime, long)[] Stamps, RunEntry Entry)> _known = new(StringComparer.Ordinal);

    /// <summary>Absolute.</summary>
    public string Root { get; } = root;

    /// <summary>The folders, newest first.</summary>
    public RunEntries List()
    {
        try
        {
            DirectoryInfo[] folders = Directory.Exists(Root) ? [.. new DirectoryInfo(Root).EnumerateDirectories().Where(IsRun)] : [];
            RunEntry[] entries =
            [
                .. folders
                    .Select(folder => (Folder: folder, Modified: ModifiedOf(folder)))
                    .OrderByDescending(one => one.Modified)
                    .ThenBy(one => one.Folder.Name, StringComparer.Ordinal)
                    .Take(EntriesMax)
                    .Select(one => Known(one.Folder)),
            ];
            Forget(entries);
            return new RunEntries(entries, folders.Length);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new RunEntries([], 0);
        }
    }

    /// <summary>The folder of an entry; null where there is none of that name.</summary>
    public string? Find(string id)
    {
        if (id.Length == 0 || id != Path.GetFileName(id) || id is "." or ".." || id.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        DirectoryInfo folder = new(Path.Combine(Root, id));
        return folder.Exists && IsRun(folder) ? folder.FullName : null;
    }

    /// <summary>A folder's line in the list.</summary>
    public static RunEntry Entry(DirectoryInfo folder)
    {
        bool isStudy = File.Exists(Path.Combine(folder.FullName, "study.json"));
        JsonElement? summary = Summary(folder.FullName);
        string Text(string key) => summary is JsonElement found ? JsonPages.Text(found, key) ?? "" : "";
        double Number(string key) => summary is JsonElement found && found.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
        (long step, double loss, double elapsed) = summary is null && !isStudy ? LastStep(Path.Combine(folder.FullName, "metrics.jsonl")) : (0, double.NaN, 0);
        ExperimentNames? written = summary is null && !isStudy ? ExperimentNames.Read(Path.Combine(folder.FullName, "experiment.yaml")) : null;
        return new RunEntry(
            folder.Name,
            isStudy ? "study" : "run",
            isStudy ? StudyName(folder.FullName) : written?.Name ?? Text("name"),
            written?.Method ?? Text("method"),
            written?.Engine ?? Text("engine"),
            isStudy ? "" : StatusOf(folder.FullName, summary),
            summary is null ? step : double.IsFinite(Number("steps")) ? (long)Number("steps") : 0,
            summary is null ? loss : Number("final_loss"),
            Number("train_accuracy"),
            Number("test_accuracy"),
            summary is null ? elapsed : Number("wall_seconds"),
            ModifiedOf(folder));
    }

    /// <summary>A run's summary; null where there is none that is an object.</summary>
    public static JsonElement? Summary(string folder) =>
        JsonPages.ReadFile(Path.Combine(folder, "summary.json"), SummaryBytesMax) is { ValueKind: JsonValueKind.Object } found ? found : null;

    /// <summary>One word: the summary's status, or running, or interrupted.</summary>
    public static string StatusOf(string folder, JsonElement? summary) =>
        summary is JsonElement found && JsonPages.Text(found, "status") is string status
            ? status
            : IsLocked(Path.Combine(folder, ".running")) ? "running" : "interrupted";

    /// <summary>The entry of a folder, read only where one of its files has changed.</summary>
    private RunEntry Known(DirectoryInfo folder)
    {
        (DateTime, long)[] stamps = [.. Files.Select(name => new FileInfo(Path.Combine(folder.FullName, name))).Select(file => file.Exists ? (file.LastWriteTimeUtc, file.Length) : default)];
        lock (_lock)
        {
            if (_known.TryGetValue(folder.Name, out ((DateTime, long)[] Stamps, RunEntry Entry) known) && known.Stamps.AsSpan().SequenceEqual(stamps))
            {
                // That a run ends by being killed changes no file of it.
                return known.Entry.Status is "running" or "interrupted" ? known.Entry with { Status = StatusOf(folder.FullName, summary: null) } : known.Entry;
            }
        }

        RunEntry entry = Entry(folder);
        lock (_lock)
        {
            _known[folder.Name] = (stamps, entry);
        }

        return entry;
    }

    /// <summary>Forgets what is listed no more.</summary>
    private void Forget(RunEntry[] listed)
    {
        lock (_lock)
        {
            if (_known.Count > listed.Length)
            {
                HashSet<string> names = [.. listed.Select(entry => entry.Id)];
                foreach (string gone in _known.Keys.Where(name => !names.Contains(name)).ToArray())
                {
                    _known.Remove(gone);
                }
            }
        }
    }

    private static string StudyName(string folder) =>
        JsonPages.ReadFile(Path.Combine(folder, "study.json"), StudyFolder.BytesMax) is { ValueKind: JsonValueKind.Object } study
            ? JsonPages.Text(study, "name") ?? ""
            : "";

    private static bool IsRun(DirectoryInfo folder) =>
        File.Exists(Path.Combine(folder.FullName, "experiment.yaml")) || File.Exists(Path.Combine(folder.FullName, "study.json"));

    private static double ModifiedOf(DirectoryInfo folder)
    {
        FileInfo metrics = new(Path.Combine(folder.FullName, "metrics.jsonl"));
        DateTime modified = metrics.Exists ? metrics.LastWriteTimeUtc : folder.LastWriteTimeUtc;
        return (modified - DateTime.UnixEpoch).TotalSeconds;
    }

    /// <summary>A process that trains in a folder keeps this file open for itself alone.</summary>
    private static bool IsLocked(string path)
    {
        try
        {
            using FileStream probe = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
        {
            return File.Exists(path);
        }
    }

    private static (long Step, double Loss, double Elapsed) LastStep(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                return (0, double.NaN, 0);
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = Math.Max(0, file.Length - TailBytes);
            byte[] tail = new byte[TailBytes];
            int length = file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false);
            foreach (string line in Encoding.UTF8.GetString(tail, 0, length).Split('\n').Reverse())
            {
                if (line.StartsWith("{\"type\":\"step\"", StringComparison.Ordinal) && line.EndsWith('}'))
                {
                    MetricsLine step = MetricsLine.Parse(Encoding.UTF8.GetBytes(line));
                    return (step.Step, step.Loss, step.Elapsed);
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException)
        {
            // A list without this figure is still a list.
        }

        return (0, double.NaN, 0);
    }
}
