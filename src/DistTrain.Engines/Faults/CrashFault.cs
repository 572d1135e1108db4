using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>An actor dies with its memory and whatever it was doing.</summary>
/// <param name="Actor">Who.</param>
/// <param name="RestartAfter">How long nothing can be started in its place; null for ever.</param>
public sealed record CrashFault(ActorId Actor, TimeSpan? RestartAfter) : Fault
{
    /// <inheritdoc/>
    public override string Name => "crash";
}
