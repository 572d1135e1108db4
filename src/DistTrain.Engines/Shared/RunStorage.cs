using DistTrain.Engines.Storage;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>Where a run keeps itself, as durably as it asks: snapshots and log, and what was found there at the start.</summary>
internal sealed class RunStorage : IDisposable
{
    private readonly BufferPool _pool;
    private readonly RunLog? _log;
    private CoordinatorProgress? _snapshot;

    /// <summary>Opens what is there. Throws <see cref="InvalidInputException"/> when the step to go on from is not, or what is there is damaged.</summary>
    /// <param name="request">The run.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="pool">Its buffers.</param>
    /// <param name="notice">Hears what was cut off.</param>
    public RunStorage(RunRequest request, RunPlan plan, BufferPool pool, Action<string> notice)
    {
        _pool = pool;
        if (request.JournalFolder is not string folder)
        {
            if (plan.KeepsLog)
            {
                throw new InvalidInputException(
                    $"durability: {request.Settings.Durability.ToString().ToLowerInvariant()} keeps a log in the journal folder, and there is none; expected a run folder, or durability: memory");
            }

            From = StartingPoint.Of(request, null, null);
            Snapshots = new SnapshotStore(pool, null);
            return;
        }

        (From, Before, _snapshot, _log) = Open(request, plan, folder, notice, writes: true);
        Snapshots = new SnapshotStore(pool, new SnapshotFiles(folder, plan, request.Disk), _log);
    }

    /// <summary>Opens what a process of several keeps. The journal folder was prepared; whatever is there belongs to this run.</summary>
    /// <param name="request">The run.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="pool">The process's buffers.</param>
    /// <param name="part">What of the log is its own; null for none.</param>
    /// <param name="notice">Hears what was cut off.</param>
    public RunStorage(RunRequest request, RunPlan plan, BufferPool pool, LogPart? part, Action<string> notice)
    {
        (_pool, From) = (pool, new CoordinatorProgress());
        (string folder, IDisk disk) = (request.JournalFolder!, request.Disk);
        if (part is not null)
        {
            if (part.Decides)
            {
                part.TakeOver(disk, folder);
            }

            LogReader found = LogReader.Read(disk, folder, part);
            _snapshot = SnapshotFiles.Newest(folder, disk);
            From = StartingPoint.Newest(_snapshot, found.Index.Committed) ?? From;
            Before = found.Index.Before;
            _log = RunLog.Open(disk, folder, plan, found, _snapshot?.Step ?? 0, notice, part);
        }

        Snapshots = new SnapshotStore(pool, new SnapshotFiles(folder, plan, disk), _log, inMemory: false);
    }

    /// <summary>
    /// Makes a journal folder ready for the processes that will keep a run in it: what a crash has torn is cut off, and what the run does not go on from is deleted.
    /// Throws as the constructor does.
    /// </summary>
    /// <returns>What the coordinator goes on from, the newest membership, and the last segment's number.</returns>
    public static (CoordinatorProgress From, MembershipRecord? Before, long LastSegment) Prepare(
        RunRequest request, RunPlan plan, string folder, Action<string> notice)
    {
        (CoordinatorProgress from, MembershipRecord? before, _, RunLog? log) = Open(request, plan, folder, notice, writes: false);
        log?.Dispose();
        return (from, before, LogReader.LastNumberIn(request.Disk, folder));
    }

    /// <summary>Snapshots.</summary>
    public SnapshotStore Snapshots { get; }

    /// <summary>What the coordinator starts from.</summary>
    public CoordinatorProgress From { get; }

    /// <summary>The newest membership that was kept; null for none.</summary>
    public MembershipRecord? Before { get; }

    /// <summary>Whether enough is kept to replace the coordinator.</summary>
    public bool CanReplaceCoordinator => _log is { Writes: true };

    /// <summary>What a coordinator that replaces the one before goes on from: the last committed step, and the members.</summary>
    public (CoordinatorProgress From, MembershipRecord? Before) ForNextCoordinator() =>
        (StartingPoint.Newest(_snapshot, _log?.Committed) ?? new CoordinatorProgress(), _log?.Membership);

    /// <summary>Whether a record is kept only once <see cref="Sync"/> is done, which takes long enough to wait for with several.</summary>
    public bool Syncs => _log is { Syncs: true };

    /// <summary>Keeps a record, but for <see cref="Sync"/>. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</summary>
    public void Write(PersistRecord record)
    {
        if (record is SnapshotRecord snapshot)
        {
            // What the snapshot stands for is deleted with the next segment, so what the log holds must be safe by itself first.
            Sync();
            _log?.RequireOwn();
            Snapshots.Complete(snapshot.Progress);
            _snapshot = snapshot.Progress;
            _log?.OnSnapshot(snapshot.Progress.Step);
        }
        else if (_log is { Writes: true })
        {
            _log.Append(record, _pool);
        }
    }

    /// <summary>Another process has completed a snapshot: what it stands for is deleted here too. What goes wrong is told with the next record.</summary>
    public void OnSnapshot(long step)
    {
        try
        {
            _log?.OnSnapshot(step);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The log takes no record from now on, and says why.
        }
    }

    /// <summary>Makes what was written outlast the loss of power, where that is asked for.</summary>
    public void Sync()
    {
        if (Syncs)
        {
            _log!.Sync();
        }
    }

    /// <summary>Takes a reference on each buffer of a record.</summary>
    public static void Retain(PersistRecord record, BufferPool pool)
    {
        if (HasBuffers(record))
        {
            foreach (BufferHandle buffer in BuffersOf(record))
            {
                pool.Retain(buffer);
            }
        }
    }

    /// <summary>Gives the references on a record's buffers back.</summary>
    public static void Release(PersistRecord record, BufferPool pool)
    {
        if (HasBuffers(record))
        {
            foreach (BufferHandle buffer in BuffersOf(record))
            {
                pool.Release(buffer);
            }
        }
    }

    public void Dispose()
    {
        Snapshots.Dispose();
        _log?.Dispose();
    }

    private static (CoordinatorProgress From, MembershipRecord? Before, CoordinatorProgress? Snapshot, RunLog? Log) Open(
        RunRequest request, RunPlan plan, string folder, Action<string> notice, bool writes)
    {
        IDisk disk = request.Disk;
        bool resumes = request.ResumeFromStep > 0;
        LogReader found = LogReader.Read(disk, folder);
        CoordinatorProgress? snapshot = resumes ? SnapshotFiles.Newest(folder, disk) : null;
        CoordinatorProgress from = StartingPoint.Of(request, snapshot, found.Index.Committed);
        if (!resumes)
        {
            found.Forget();
        }

        MembershipRecord? before = found.Index.Before;
        RunLog? log = RunLog.Open(
            disk, folder, plan, found, from.Step > (snapshot?.Step ?? 0) ? snapshot?.Step ?? 0 : null, notice, writes: writes);
        if (!resumes && plan.KeepsLog)
        {
            new SnapshotFiles(folder, plan, disk).DeleteAll();
        }

        return (from, before, snapshot, log);
    }

    private static bool HasBuffers(PersistRecord record) => record is PreparedRecord { Updates.Count: > 0 };

    private static IEnumerable<BufferHandle> BuffersOf(PersistRecord record) =>
        ((PreparedRecord)record).Updates.SelectMany(update => update.Gradients.Concat(update.Carried));
}
