namespace DistTrain.Akka.Nodes;

/// <summary>Who lives where, as one node sees it.</summary>
/// <param name="Self">This node's index; −1 when it is not of the run.</param>
/// <param name="Peers">The other nodes by index; null for this one and for those that are gone.</param>
/// <param name="NodeOf">For each actor the index of its node; −1 for none.</param>
internal sealed record RunTable(int Self, NodePeer?[] Peers, int[] NodeOf)
{
    /// <summary>Nobody anywhere.</summary>
    public static RunTable Empty { get; } = new(-1, [], []);
}
