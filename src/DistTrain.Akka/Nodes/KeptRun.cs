using System.Globalization;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Storage;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>What a node's disk has of a run that keeps a log.</summary>
/// <param name="Leader">The newest leader whose coordinator wrote here; 0 for none.</param>
/// <param name="Committed">The last step that a coordinator committed here, or made a snapshot of; null for none.</param>
/// <param name="Reach">For each shard the last step that snapshot and log here can bring it to.</param>
internal sealed record KeptRun(long Leader, CoordinatorProgress? Committed, long[] Reach)
{
    /// <summary>Nothing.</summary>
    public static KeptRun Nothing { get; } = new(0, null, []);

    private const string LeadPrefix = "lead-";

    /// <summary>A coordinator's part of the log.</summary>
    public static LogPart CoordinatorPart { get; } = new("coordinator", ["coordinator"], 0, Decides: true);

    /// <summary>The shards' part of the log.</summary>
    public static LogPart ShardsPart { get; } = new("shards", ["shards"], 0, Decides: false);

    /// <summary>Where a node keeps a run.</summary>
    public static string FolderOf(string dataFolder, long runId) => Path.Combine(dataFolder, $"run-{runId:x}");

    /// <summary>Where a node keeps what a run's n-th coordinator writes.</summary>
    public static string LeadFolderOf(string runFolder, long leader) =>
        Path.Combine(runFolder, string.Create(CultureInfo.InvariantCulture, $"{LeadPrefix}{leader:D6}"));

    /// <summary>What the coordinators that were on this node have left. Throws <see cref="Numerics.InvalidInputException"/> for a damaged log.</summary>
    public static (long Leader, CoordinatorProgress? Committed) Coordinator(string runFolder)
    {
        long newest = 0;
        CoordinatorProgress? committed = null;
        foreach (long leader in Leaders(runFolder))
        {
            newest = Math.Max(newest, leader);
            string folder = LeadFolderOf(runFolder, leader);
            LogReader log = LogReader.Read(FileDisk.Instance, folder, CoordinatorPart);
            CoordinatorProgress? here = StartingPoint.Newest(SnapshotFiles.Newest(folder), log.Index.Committed);
            committed = (here?.Step ?? 0) > (committed?.Step ?? 0) ? here : committed;
        }

        return (newest, committed);
    }

    /// <summary>The one with the later commit. A committed step is never taken back, so it is the newest whoever committed it.</summary>
    public static KeptRun Later(KeptRun one, KeptRun other) => (other.Committed?.Step ?? 0) > (one.Committed?.Step ?? 0) ? other : one;

    private static IEnumerable<long> Leaders(string runFolder) => !Directory.Exists(runFolder)
        ? []
        : Directory.EnumerateDirectories(runFolder, $"{LeadPrefix}*")
            .Select(path => long.TryParse(Path.GetFileName(path).AsSpan(LeadPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long leader) ? leader : 0)
            .Where(leader => leader > 0)
            .Order();
}
