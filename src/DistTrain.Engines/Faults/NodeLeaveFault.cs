using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>A node leaves in order: its actors are started on others at the next committed step. The coordinator stays on it to the end of the run.</summary>
/// <param name="Actor">An actor that lives there at that time.</param>
public sealed record NodeLeaveFault(ActorId Actor) : Fault
{
    /// <inheritdoc/>
    public override string Name => "leave-node";
}
