using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>Shard to layer actor: a slice's weights after a step.</summary>
/// <param name="Step">The receiver's last step whose contribution is in them.</param>
/// <param name="Slice">The slice.</param>
/// <param name="Buffer">The slice's tensors, lent read-only; none when the step did not change them.</param>
/// <param name="Carried">The receiver's carried state of that step, or none; sent when an epoch begins.</param>
[MessageTag("weights")]
public sealed record Weights(long Step, int Slice, BufferHandle Buffer, BufferHandle Carried) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Carried;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Shard to coordinator: per-tensor partials of a decision.</summary>
[MessageTag("partials")]
public sealed record Partials(long Step, int Slice, BufferHandle Values) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Values;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Shard to coordinator: the version of this step is computed and, as far as durability asks, kept.</summary>
/// <param name="Step">The step.</param>
/// <param name="Shard">Which shard.</param>
/// <param name="StalenessSteps">Largest staleness of a gradient applied so far, in steps.</param>
/// <param name="NonFiniteLayer">First layer whose weights of this version are not all finite, or −1.</param>
[MessageTag("prepared")]
public sealed record Prepared(long Step, int Shard, long StalenessSteps, int NonFiniteLayer) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Shard to coordinator: its part of a snapshot is kept.</summary>
[MessageTag("snapshot-taken")]
public sealed record SnapshotTaken(long Step, int Shard) : Message;
