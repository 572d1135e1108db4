using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Planning;

public sealed class NodePlacementTests
{
    private static readonly Topology Topology = new(replicas: 2, stages: 3, shards: 2, copies: 2);

    [Fact]
    public void CopiesOfAShardNeverShareANodeWhateverTheNodesAre()
    {
        for (int nodes = 2; nodes <= 12; nodes++)
        {
            NodeOffer[] offers = [.. Enumerable.Range(0, nodes).Select(node => new NodeOffer(1 + (node % 3)))];
            int[] places = NodePlacement.Place(Topology, offers);
            places.ShouldAllBe(node => node >= 0 && node < nodes);
            CopiesApart(places).ShouldBeTrue($"{nodes} nodes");
            NodePlacement.Place(Topology, offers, places).ShouldBe(places, "whoever has a place keeps it");
        }
    }

    [Fact]
    public void OneNodeHoldsOneCopyOfEachShard()
    {
        int[] places = NodePlacement.Place(Topology, [new NodeOffer(4)]);
        for (int shard = 0; shard < Topology.Shards; shard++)
        {
            places[Topology.Shard(shard).Index].ShouldBe(0);
            places[Topology.Shard(shard, 1).Index].ShouldBe(NodePlacement.Nowhere);
        }
    }

    [Fact]
    public void ANodeGetsActorsByItsCapacityAndItsRoles()
    {
        NodeOffer[] offers = [new NodeOffer(1, NodeRoles.Coordinator), new NodeOffer(2, NodeRoles.ParameterServer), new NodeOffer(2, NodeRoles.ParameterServer), new NodeOffer(1, NodeRoles.Worker), new NodeOffer(5, NodeRoles.Worker)];
        int[] places = NodePlacement.Place(Topology, offers);
        places[ActorId.Coordinator.Index].ShouldBe(0);
        Enumerable.Range(0, Topology.ShardActors).Select(position => places[Topology.ShardActor(position).Index]).Order().ShouldBe([1, 1, 2, 2]);
        places.Count(node => node == 3).ShouldBe(1);
        places.Count(node => node == 4).ShouldBe(5);
    }

    [Fact]
    public void ANodeThatLeavesIsEmptiedAndNobodyElseMoves()
    {
        NodeOffer[] offers = [.. Enumerable.Repeat(new NodeOffer(1), 4)];
        int[] before = NodePlacement.Place(Topology, offers);
        offers[2] = new NodeOffer(1, NodeRoles.None);
        int[] after = NodePlacement.Place(Topology, offers, before);
        after.ShouldNotContain(2);
        CopiesApart(after).ShouldBeTrue();
        for (int index = 0; index < after.Length; index++)
        {
            (after[index] == before[index] || before[index] == 2).ShouldBeTrue();
        }
    }

    [Fact]
    public void ANodeThatJoinsGetsItsShareAndTheCoordinatorStays()
    {
        NodeOffer[] offers = [.. Enumerable.Repeat(new NodeOffer(1), 3)];
        int[] before = NodePlacement.Place(Topology, [.. offers.Take(2)]);
        int[] after = NodePlacement.Balance(Topology, offers, before);
        after[ActorId.Coordinator.Index].ShouldBe(before[ActorId.Coordinator.Index]);
        CopiesApart(after).ShouldBeTrue();
        int[] loads = [.. Enumerable.Range(0, 3).Select(node => after.Count(place => place == node))];
        (loads.Max() - loads.Min()).ShouldBeLessThanOrEqualTo(1, string.Join(", ", loads));
        NodePlacement.Balance(Topology, offers, after).ShouldBe(after, "it is even");
    }

    private static bool CopiesApart(int[] places) => Enumerable.Range(0, Topology.Shards)
        .All(shard => places[Topology.Shard(shard).Index] != places[Topology.Shard(shard, 1).Index]);
}
