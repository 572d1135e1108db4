using DistTrain.Data;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Storage;

namespace DistTrain.Engines;

/// <summary>What a run folder's journal says about resuming.</summary>
public static class Journal
{
    /// <summary>The committed step of the newest complete snapshot; null when there is none. Throws
    /// <see cref="Numerics.InvalidInputException"/> for a damaged one.</summary>
    public static long? LastSnapshotStep(string journalFolder) => SnapshotFiles.Newest(journalFolder)?.Step;

    /// <summary>The last committed step that a run can go on from: the newest snapshot's, or the log's where that is later; null when there is none. Throws
    /// <see cref="Numerics.InvalidInputException"/> for a damaged one. Waits for processes of a run whose parent was killed a moment ago.</summary>
    public static long? LastCommittedStep(string journalFolder)
    {
        JournalHold.ClaimIfHeld(journalFolder);
        return LastCommittedStep(FileDisk.Instance, journalFolder);
    }

    /// <summary>The highest step that a shard's log has made ready, committed or not: what lies beyond the last committed step is done again by a resume, but not
    /// lost. 0 where there is no log. Throws <see cref="Numerics.InvalidInputException"/> for a damaged one.</summary>
    public static long LastPreparedStep(string journalFolder)
    {
        JournalHold.ClaimIfHeld(journalFolder);
        return LogReader.Read(FileDisk.Instance, journalFolder).Index.LastStep;
    }

    /// <summary>What the slices of a step's snapshot hold, parameters among it, by name. Throws <see cref="IOException"/> when a newer snapshot has taken its place
    /// meanwhile, and <see cref="Numerics.InvalidInputException"/> for a damaged one.</summary>
    /// <param name="journalFolder">The run's journal folder.</param>
    /// <param name="step">A step whose snapshot is complete.</param>
    public static IReadOnlyDictionary<string, SafetensorsTensor> ReadParameters(string journalFolder, long step)
    {
        SortedDictionary<string, SafetensorsTensor> tensors = new(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(SnapshotFiles.FolderOf(journalFolder, step), "*.safetensors"))
        {
            foreach (SafetensorsTensor tensor in SafetensorsFile.Read(file).Tensors)
            {
                tensors[tensor.Name] = tensor;
            }
        }

        return tensors;
    }

    /// <summary>Whether a journal holds a snapshot or a log, whole or not, from which somebody may want to go on.</summary>
    public static bool HoldsAnything(string journalFolder) => Directory.Exists(journalFolder) && Directory.EnumerateFileSystemEntries(journalFolder).Select(Path.GetFileName).Any(
        name => name!.StartsWith(SnapshotFiles.StepPrefix, StringComparison.Ordinal) || name.StartsWith(LogSegment.Prefix, StringComparison.Ordinal));

    internal static long? LastCommittedStep(IDisk disk, string journalFolder)
    {
        long? snapshot = SnapshotFiles.Newest(journalFolder, disk)?.Step, committed = LogReader.Read(disk, journalFolder).Index.Committed?.Step;
        return snapshot is null || committed > snapshot ? committed : snapshot;
    }
}
