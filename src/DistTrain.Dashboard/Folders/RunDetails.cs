using System.Text.Json;
using DistTrain.Dashboard.Live;

namespace DistTrain.Dashboard.Folders;

/// <summary>What the page of a run needs besides its metrics.</summary>
/// <param name="Entry">Its line in the list.</param>
/// <param name="Experiment">The resolved experiment, as text.</param>
/// <param name="Summary">Null while it runs.</param>
/// <param name="Live">What it does now; null where it does not run in this process.</param>
/// <param name="HasTrace">Whether its folder holds a trace.</param>
internal sealed record RunDetails(RunEntry Entry, string Experiment, JsonElement? Summary, LiveStatus? Live, bool HasTrace)
{
    private const int ExperimentBytesMax = 1 << 20;

    /// <summary>Reads a folder; of a run of this process only what it does not tell itself, which is asked for often.</summary>
    public static RunDetails Read(string folder, LiveRun? live)
    {
        bool hasTrace = File.Exists(Path.Combine(folder, "trace.json"));
        return live is not null
            ? new RunDetails(live.Entry(), live.Experiment, null, live.Status(), hasTrace)
            : new RunDetails(RunCatalog.Entry(new DirectoryInfo(folder)), ExperimentOf(folder), RunCatalog.Summary(folder), null, hasTrace);
    }

    /// <summary>The resolved experiment of a folder; empty where it cannot be read.</summary>
    public static string ExperimentOf(string folder)
    {
        string path = Path.Combine(folder, "experiment.yaml");
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= ExperimentBytesMax ? File.ReadAllText(path) : "";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
