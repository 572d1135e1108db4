using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>A straggler: an actor's jobs take longer.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Factor">On the time of its jobs; above 0.</param>
/// <param name="For">How long; null to the end. Jobs that begin meanwhile are slow.</param>
public sealed record SlowFault(ActorId Actor, double Factor, TimeSpan? For) : Fault
{
    /// <inheritdoc/>
    public override string Name => "slow";

    /// <summary>Whether it is the machine that is slow: whoever is started in the actor's place lives elsewhere and is not.</summary>
    public bool UntilReplaced { get; init; }
}
