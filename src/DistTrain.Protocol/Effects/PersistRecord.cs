namespace DistTrain.Protocol.Effects;

/// <summary>Something that must outlast what the run's durability names. A closed family.</summary>
public abstract record PersistRecord
{
    private protected PersistRecord()
    {
    }
}

/// <summary>Shard: the version of a step is computed, in this epoch.</summary>
public sealed record PreparedRecord(long Step, int Shard, int Epoch) : PersistRecord
{
    /// <summary>
    /// Where a log is kept: what made the versions up to this step that no record before has told of, in the order of their making. The host holds a reference on
    /// every buffer until the record is kept.
    /// </summary>
    public IReadOnlyList<AppliedUpdate> Updates { get; init; } = [];
}

/// <summary>Coordinator: step is committed. This record, and nothing else, is the commit.</summary>
/// <param name="Step">The step.</param>
/// <param name="Epoch">The epoch.</param>
/// <param name="Progress">What the coordinator knows at this step; at the end of an epoch, before its evaluation.</param>
public sealed record CommittedRecord(long Step, int Epoch, CoordinatorProgress Progress) : PersistRecord;

/// <summary>Coordinator: an epoch and the members' incarnations, kept before anyone is started with them.</summary>
public sealed record MembershipRecord(int Epoch, int[] Incarnations) : PersistRecord
{
    /// <summary>The <see cref="Planning.CopyState"/> of each copy of a shard; empty where shards have one copy.</summary>
    public int[] Copies { get; init; } = [];
}

/// <summary>Copy of a shard: from now on it refuses every epoch below.</summary>
public sealed record PromiseRecord(int Epoch) : PersistRecord;

/// <summary>Coordinator: every shard's part of a snapshot is kept, and what the coordinator itself needs to go on from
/// it.</summary>
public sealed record SnapshotRecord(CoordinatorProgress Progress) : PersistRecord;
