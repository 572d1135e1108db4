using DistTrain.Protocol.Actors;

namespace DistTrain.Protocol.Planning;

/// <summary>What actors a node may host.</summary>
[Flags]
public enum NodeRoles
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The coordinator.</summary>
    Coordinator = 1,

    /// <summary>Copies of shards.</summary>
    ParameterServer = 2,

    /// <summary>Layer actors.</summary>
    Worker = 4,

    /// <summary>Any.</summary>
    All = Coordinator | ParameterServer | Worker,
}

/// <summary>A node that offers itself.</summary>
/// <param name="Capacity">Its share of the actors, relative to other nodes; at least 1.</param>
/// <param name="Roles">What it may host; none while it is down or leaves.</param>
public readonly record struct NodeOffer(int Capacity, NodeRoles Roles = NodeRoles.All);

/// <summary>
/// Where actors live: a function of the offers and of where they live already, so every engine and every node comes to the same. Two copies of one shard never share
/// a node. Whoever has a place that still serves keeps it; the others go one after the other, shards first, to the node with the fewest actors for its capacity.
/// </summary>
public static class NodePlacement
{
    /// <summary>No node.</summary>
    public const int Nowhere = -1;

    /// <summary>Places every actor.</summary>
    /// <param name="topology">The actors.</param>
    /// <param name="nodes">The nodes.</param>
    /// <param name="current">The node of each actor now, in actor order; <see cref="Nowhere"/> for none. Null for a first placement.</param>
    /// <param name="admits">What else decides whether an actor may live on a node, such as the data there; null for nothing.</param>
    /// <returns>The node of each actor; <see cref="Nowhere"/> where no node may host it.</returns>
    public static int[] Place(
        Topology topology, IReadOnlyList<NodeOffer> nodes, IReadOnlyList<int>? current = null, Func<ActorId, int, bool>? admits = null)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(nodes);
        int[] places = new int[topology.Count], loads = new int[nodes.Count];
        Array.Fill(places, Nowhere);
        foreach (ActorId actor in Order(topology))
        {
            int node = current?[actor.Index] ?? Nowhere;
            if (node != Nowhere && MayHost(topology, nodes, places, actor, node, admits))
            {
                places[actor.Index] = node;
                loads[node]++;
            }
        }

        foreach (ActorId actor in Order(topology))
        {
            if (places[actor.Index] == Nowhere && Best(topology, nodes, places, loads, actor, admits) is int node && node != Nowhere)
            {
                places[actor.Index] = node;
                loads[node]++;
            }
        }

        return places;
    }

    /// <summary>
    /// Moves actors one by one from the nodes with the most actors for their capacity to those with the fewest, as long as that makes the fuller of the two less
    /// full; the coordinator stays. What a node that joins gets.
    /// </summary>
    public static int[] Balance(Topology topology, IReadOnlyList<NodeOffer> nodes, IReadOnlyList<int> current)
    {
        int[] places = Place(topology, nodes, current), loads = new int[nodes.Count];
        foreach (int node in places.Where(node => node != Nowhere))
        {
            loads[node]++;
        }

        foreach (ActorId actor in Order(topology).Where(actor => actor != ActorId.Coordinator).Reverse())
        {
            int from = places[actor.Index];
            if (from == Nowhere)
            {
                continue;
            }

            places[actor.Index] = Nowhere;
            loads[from]--;
            int to = Best(topology, nodes, places, loads, actor, null);
            bool better = to != Nowhere && (long)(loads[to] + 1) * nodes[from].Capacity < (long)(loads[from] + 1) * nodes[to].Capacity;
            places[actor.Index] = better ? to : from;
            loads[places[actor.Index]]++;
        }

        return places;
    }

    private static IEnumerable<ActorId> Order(Topology topology) =>
    [
        ActorId.Coordinator,
        .. Enumerable.Range(0, topology.ShardActors).Select(topology.ShardActor),
        .. Enumerable.Range(1, topology.LayerActors).Select(index => new ActorId(index)),
    ];

    private static int Best(
        Topology topology, IReadOnlyList<NodeOffer> nodes, int[] places, int[] loads, ActorId actor, Func<ActorId, int, bool>? admits)
    {
        int best = Nowhere;
        for (int node = 0; node < nodes.Count; node++)
        {
            bool emptier = best == Nowhere || (long)(loads[node] + 1) * nodes[best].Capacity < (long)(loads[best] + 1) * nodes[node].Capacity;
            best = emptier && MayHost(topology, nodes, places, actor, node, admits) ? node : best;
        }

        return best;
    }

    private static bool MayHost(
        Topology topology, IReadOnlyList<NodeOffer> nodes, int[] places, ActorId actor, int node, Func<ActorId, int, bool>? admits)
    {
        ActorRole role = topology.RoleOf(actor);
        NodeRoles needed = role switch
        {
            ActorRole.Coordinator => NodeRoles.Coordinator,
            ActorRole.Shard => NodeRoles.ParameterServer,
            _ => NodeRoles.Worker,
        };
        if ((uint)node >= (uint)nodes.Count || (nodes[node].Roles & needed) == 0 || admits?.Invoke(actor, node) == false)
        {
            return false;
        }

        return role != ActorRole.Shard || Enumerable.Range(0, topology.Copies)
            .Select(copy => topology.Shard(topology.ShardOf(actor), copy))
            .All(copy => copy == actor || places[copy.Index] != node);
    }
}
