using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>
/// A new coordinator to all, in an epoch above all that were: take part in nothing older, and say what you hold. It is taken whatever the receiver's incarnation, for
/// the sender knows none.
/// </summary>
[MessageTag("inquire")]
public sealed record Inquire : Message
{
    /// <summary>The one instance: it has no fields.</summary>
    public static Inquire Instance { get; } = new();
}

/// <summary>Answer to <see cref="Inquire"/>, kept as a promise before it goes.</summary>
/// <param name="LastEpoch">The last epoch that the sender went on in; 0 for none.</param>
/// <param name="Incarnations">The members of that epoch.</param>
/// <param name="Copies">The states of the shards' copies in that epoch.</param>
/// <param name="CommittedStep">The last step that it knows to be committed.</param>
/// <param name="PreparedStep">A shard: the last step that it is prepared for, all weights finite up to there; −1 when it holds no state, and for everybody else.</param>
[MessageTag("standing")]
public sealed record Standing(int LastEpoch, int[] Incarnations, int[] Copies, long CommittedStep, long PreparedStep) : Message;

/// <summary>Coordinator to the copies of the first shard, and from there to a new coordinator: what goes with a committed step besides weights.</summary>
/// <param name="Step">The committed step.</param>
/// <param name="RateFactor">As in <see cref="Effects.CoordinatorProgress"/>, all of them.</param>
/// <param name="HasBest">Whether there is a best loss.</param>
/// <param name="BestLoss">Best watched loss.</param>
/// <param name="EvaluationsSinceBest">Evaluations since.</param>
/// <param name="EvaluationsSinceReduction">Evaluations since the rate was reduced.</param>
/// <param name="EpochLossSum">Loss sum of the epoch under way.</param>
/// <param name="EpochCorrect">Rows classified right in it.</param>
/// <param name="EpochRows">Its rows so far.</param>
[MessageTag("committed-progress")]
public sealed record CommittedProgress(
    long Step,
    double RateFactor,
    bool HasBest,
    double BestLoss,
    int EvaluationsSinceBest,
    int EvaluationsSinceReduction,
    double EpochLossSum,
    long EpochCorrect,
    long EpochRows) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>
/// Primary copy of a shard to one that is brought up to date: part of a slice's state at the committed step that the epoch began with. Parts follow the order of a
/// restore job's outputs, two buffers each; the first part comes last and completes the slice.
/// </summary>
/// <param name="Step">The committed step.</param>
/// <param name="Slice">The slice.</param>
/// <param name="Part">From 0: buffers 2·part and 2·part + 1.</param>
/// <param name="Updates">Updates applied so far.</param>
/// <param name="First">A buffer, or none.</param>
/// <param name="Second">A buffer, or none.</param>
[MessageTag("slice-copy")]
public sealed record SliceCopy(long Step, int Slice, int Part, long Updates, BufferHandle First, BufferHandle Second) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => First;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Second;
}
