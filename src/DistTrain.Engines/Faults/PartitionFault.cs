using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>Groups of actors do not reach each other. Actors that no group names reach everyone.</summary>
/// <param name="Groups">The groups, at least two, no actor in more than one.</param>
/// <param name="For">How long.</param>
public sealed record PartitionFault(IReadOnlyList<IReadOnlyList<ActorId>> Groups, TimeSpan For) : Fault
{
    /// <inheritdoc/>
    public override string Name => "partition";
}
