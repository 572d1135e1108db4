using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>An actor dies with its memory and whatever it was doing.</summary>
/// <param name="Actor">Who.</param>
/// <param name="RestartAfter">How long nothing can be started in its place; null for ever.</param>
public sealed record CrashFault(ActorId Actor, TimeSpan? RestartAfter) : Fault
{
    /// <summary>
    /// Whether the actor dies while it next keeps its part of a snapshot, at <see cref="Fault.At"/> or later, instead of at once; the coordinator's part is its
    /// record of the snapshot. Layer actors have no part in snapshots.
    /// </summary>
    public bool DuringSnapshot { get; init; }

    /// <inheritdoc/>
    public override string Name => "crash";
}
