using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>A node is lost with everything on it: its actors, their memory and their disk.</summary>
/// <param name="Actor">An actor that lives there at that time.</param>
/// <param name="RestartAfter">After how long the node is there again, empty; null for never. Its actors are started on other nodes, where there are any.</param>
public sealed record NodeLossFault(ActorId Actor, TimeSpan? RestartAfter) : Fault
{
    /// <inheritdoc/>
    public override string Name => "lose-node";
}
