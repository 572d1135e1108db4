using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>Whoever hosts an actor is stopped in the middle of whatever it does, keeps its memory, and goes on later.</summary>
/// <param name="Actor">Who.</param>
/// <param name="For">How long.</param>
public sealed record PauseFault(ActorId Actor, TimeSpan For) : Fault
{
    /// <inheritdoc/>
    public override string Name => "pause";
}
