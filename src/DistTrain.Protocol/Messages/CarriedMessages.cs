using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Messages;

/// <summary>
/// Layer actor to the shard that keeps its carried state, before the contribution of the same step: something that a later step
/// will need.
/// </summary>
/// <param name="Step">The step that made it.</param>
/// <param name="Slice">The stage's first slice.</param>
/// <param name="Replica">Whose state it is.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Buffer">Its values.</param>
[MessageTag("carry")]
public sealed record Carry(long Step, int Slice, int Replica, CarriedKind Kind, BufferHandle Buffer) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Shard to layer actor when an epoch begins: what it carried at the committed step.</summary>
/// <param name="Step">The step that made it.</param>
/// <param name="Slice">The stage's first slice.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Buffer">Its values.</param>
[MessageTag("carried")]
public sealed record Carried(long Step, int Slice, CarriedKind Kind, BufferHandle Buffer) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;
}
