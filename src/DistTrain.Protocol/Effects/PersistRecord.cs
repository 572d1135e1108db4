namespace DistTrain.Protocol.Effects;

/// <summary>Something that must outlast what the run's durability names. A closed family.</summary>
public abstract record PersistRecord
{
    private protected PersistRecord()
    {
    }
}

/// <summary>Shard: version <paramref name="Step"/> is computed.</summary>
public sealed record PreparedRecord(long Step, int Shard) : PersistRecord;

/// <summary>Coordinator: step is committed. This record, and nothing else, is the commit.</summary>
public sealed record CommittedRecord(long Step) : PersistRecord;

/// <summary>Coordinator: an epoch and the members' incarnations, kept before anyone is started with them.</summary>
public sealed record MembershipRecord(int Epoch, int[] Incarnations) : PersistRecord;

/// <summary>Coordinator: every shard's part of a snapshot is kept, and what the coordinator itself needs to go on from it.</summary>
public sealed record SnapshotRecord(CoordinatorProgress Progress) : PersistRecord;

/// <summary>What the coordinator knows at a committed step besides the step itself.</summary>
public sealed record CoordinatorProgress
{
    /// <summary>The committed step.</summary>
    public long Step { get; init; }

    /// <summary>Factor on the learning rate, from reduce-on-plateau.</summary>
    public double RateFactor { get; init; } = 1;

    /// <summary>Best watched loss so far; null before the first evaluation.</summary>
    public double? BestLoss { get; init; }

    /// <summary>Evaluations since the best one, for early stopping.</summary>
    public int EvaluationsSinceBest { get; init; }

    /// <summary>Evaluations since the best one or the last reduction, for reduce-on-plateau.</summary>
    public int EvaluationsSinceReduction { get; init; }

    /// <summary>Loss sum over the rows of the epoch under way.</summary>
    public double EpochLossSum { get; init; }

    /// <summary>Rows classified right in the epoch under way.</summary>
    public long EpochCorrect { get; init; }

    /// <summary>Rows of the epoch under way.</summary>
    public long EpochRows { get; init; }
}
