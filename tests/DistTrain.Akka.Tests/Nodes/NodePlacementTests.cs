using DistTrain.Akka.Nodes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Nodes;

public sealed class NodePlacementTests
{
    private static readonly Topology Actors = new(replicas: 2, stages: 3, shards: 2);

    [Fact]
    public void ActorsSpreadByCapacity()
    {
        int[] nodeOf = Place([new(0, true, true, true, 1), new(1, true, true, true, 3)]);
        nodeOf.Count(node => node == 1).ShouldBe(6);
        nodeOf.Count(node => node == 0).ShouldBe(3);
    }

    [Fact]
    public void WhoReadsRowsLivesWhereTheDataIsAndShardsWhereTheirRoleIs()
    {
        int[] nodeOf = Place([new(0, true, false, false, 9), new(1, true, false, true, 1), new(2, false, true, false, 1)]);
        foreach (int replica in new[] { 0, 1 })
        {
            nodeOf[Actors.LayerActor(replica, 0).Index].ShouldBe(1);
            nodeOf[Actors.LayerActor(replica, 1).Index].ShouldBe(0);
            nodeOf[Actors.Shard(replica).Index].ShouldBe(2);
        }
    }

    [Fact]
    public void TheLossOfANodeMovesOnlyWhatLivedThere()
    {
        PlacementNode[] nodes = [new(0, true, true, true, 1), new(1, true, true, true, 1), new(2, true, true, true, 1)];
        int[] before = Place(nodes);
        int[] after = NodePlacement.Place(Actors, NeedsData, nodes[..2], before, leader: 0);
        for (int actor = 1; actor < before.Length; actor++)
        {
            (before[actor] == 2 || after[actor] == before[actor]).ShouldBeTrue();
            after[actor].ShouldNotBe(2);
        }
    }

    [Fact]
    public void AnActorThatNoNodeMayHostHasNone() =>
        Place([new(0, true, false, true, 1)])[Actors.Shard(0).Index].ShouldBe(-1);

    private static int[] Place(PlacementNode[] nodes) =>
        NodePlacement.Place(Actors, NeedsData, nodes, [.. Enumerable.Repeat(-1, Actors.Count)], leader: 0);

    private static bool NeedsData(ActorId actor) => Actors.StageOf(actor).Stage != 1;
}
