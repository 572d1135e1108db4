using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>An actor that lives is suspected of being dead.</summary>
/// <param name="Actor">Who.</param>
public sealed record SuspicionFault(ActorId Actor) : Fault
{
    /// <inheritdoc/>
    public override string Name => "suspicion";
}
