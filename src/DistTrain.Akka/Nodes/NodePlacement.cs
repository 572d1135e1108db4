using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Nodes;

/// <summary>A node as the placement sees it.</summary>
/// <param name="Index">Its index in the table.</param>
/// <param name="HostsLayers">Whether layer actors may live there.</param>
/// <param name="HostsShards">Whether shards may.</param>
/// <param name="HasData">Whether it has the data files.</param>
/// <param name="Capacity">How many actors it takes beside others.</param>
internal sealed record PlacementNode(int Index, bool HostsLayers, bool HostsShards, bool HasData, int Capacity);

/// <summary>
/// Which node hosts which actor, by role, data and capacity. Where actors live never changes a bit of the result. Who has a node keeps it;
/// the others go, in their order, to the node that is least full for its capacity, the first of equals.
/// </summary>
internal static class NodePlacement
{
    /// <summary>Places every actor but the coordinator.</summary>
    /// <param name="topology">The actors.</param>
    /// <param name="needsData">Whether a layer actor reads rows.</param>
    /// <param name="nodes">The nodes in the order of their indices.</param>
    /// <param name="before">For each actor the index of its node, −1 for none.</param>
    /// <param name="leader">The index of the coordinator's node.</param>
    /// <returns>The same, whole; an actor that no node may host keeps −1.</returns>
    public static int[] Place(
        Topology topology, Func<ActorId, bool> needsData, IReadOnlyList<PlacementNode> nodes, IReadOnlyList<int> before, int leader)
    {
        int[] nodeOf = [.. before];
        nodeOf[ActorId.Coordinator.Index] = leader;
        Dictionary<int, int> load = nodes.ToDictionary(node => node.Index, _ => 0);
        for (int index = 1; index < nodeOf.Length; index++)
        {
            PlacementNode? home = nodes.FirstOrDefault(node => node.Index == nodeOf[index]);
            if (home is not null && MayHost(home, new ActorId(index), topology, needsData))
            {
                load[home.Index]++;
            }
            else
            {
                nodeOf[index] = -1;
            }
        }

        // Shards first: they hold most and there are few of them.
        foreach (int index in Enumerable.Range(1, nodeOf.Length - 1).OrderBy(index => topology.RoleOf(new ActorId(index)) == ActorRole.Shard ? 0 : 1))
        {
            if (nodeOf[index] < 0 && BestFor(new ActorId(index), topology, needsData, nodes, load) is PlacementNode best)
            {
                nodeOf[index] = best.Index;
                load[best.Index]++;
            }
        }

        return nodeOf;
    }

    private static PlacementNode? BestFor(
        ActorId actor, Topology topology, Func<ActorId, bool> needsData, IReadOnlyList<PlacementNode> nodes, Dictionary<int, int> load) =>
        nodes.Where(node => MayHost(node, actor, topology, needsData))
            .OrderBy(node => (load[node.Index] + 1.0) / node.Capacity)
            .ThenBy(node => node.Index)
            .FirstOrDefault();

    private static bool MayHost(PlacementNode node, ActorId actor, Topology topology, Func<ActorId, bool> needsData) =>
        topology.RoleOf(actor) == ActorRole.Shard ? node.HostsShards : node.HostsLayers && (node.HasData || !needsData(actor));
}
