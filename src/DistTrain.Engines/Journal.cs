using DistTrain.Engines.Shared;

namespace DistTrain.Engines;

/// <summary>What a run folder's journal says about resuming.</summary>
public static class Journal
{
    /// <summary>The committed step of the newest complete snapshot; null when there is none. Throws
    /// <see cref="Numerics.InvalidInputException"/> for a damaged one.</summary>
    public static long? LastSnapshotStep(string journalFolder) => SnapshotFiles.Newest(journalFolder)?.Step;
}
