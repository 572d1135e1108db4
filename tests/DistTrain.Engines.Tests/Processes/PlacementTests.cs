using DistTrain.Engines.Processes;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class PlacementTests
{
    [Fact]
    public void CoordinatorShardsAndWorkersHaveProcessesOfTheirOwn()
    {
        Placement placement = new(new Topology(replicas: 1, stages: 4, shards: 1), workers: 2, cores: 8);
        Describe(placement).ShouldBe(["coordinator: 0", "parameter-server: 5", "worker-0: 1 2", "worker-1: 3 4"]);
    }

    [Fact]
    public void WithAsManyWorkersAsReplicasEachReplicaHasItsOwn()
    {
        Placement placement = new(new Topology(replicas: 2, stages: 3, shards: 1), workers: 2, cores: 8);
        Describe(placement)[2..].ShouldBe(["worker-0: 1 2 3", "worker-1: 4 5 6"]);
    }

    [Fact]
    public void MoreShardsThanCoresAreDealtInTurn()
    {
        Placement placement = new(new Topology(replicas: 1, stages: 1, shards: 5), workers: 1, cores: 2);
        Describe(placement)[1..3].ShouldBe(["parameter-server-0: 2 4 6", "parameter-server-1: 3 5"]);
    }

    [Theory]
    [InlineData(1, 2, 8, "1 8 4 4")]
    [InlineData(2, 2, 8, "1 4 4 4 4")]
    [InlineData(1, 4, 2, "1 2 1 1 1 1")]
    public void WorkersShareTheCoresAndSoDoShardsBecauseTheyTakeTurns(int shards, int workers, int cores, string expected)
    {
        Placement placement = new(new Topology(replicas: 2, stages: 2, shards), workers, cores);
        string.Join(' ', Enumerable.Range(0, placement.Count).Select(process => placement.ComputeThreadsOf(process, cores))).ShouldBe(expected);
    }

    [Theory]
    [InlineData(0, 3, 3)]
    [InlineData(0, 16, 4)]
    [InlineData(9, 2, 4)]
    [InlineData(1, 2, 1)]
    public void WorkersAreAsManyAsCoresUnlessSaidAndNeverMoreThanLayerActors(int asked, int cores, int expected) =>
        new Placement(new Topology(replicas: 2, stages: 2, shards: 1), asked, cores).Workers.ShouldBe(expected);

    [Fact]
    public void EveryActorHasOneProcess()
    {
        for (int workers = 1; workers <= 7; workers++)
        {
            Topology topology = new(replicas: 1, stages: 5, shards: 3, shares: 3);
            Placement placement = new(topology, workers, cores: 2);
            int[] hosted = [.. Enumerable.Range(0, placement.Count).SelectMany(placement.ActorsOf).Select(actor => actor.Index).Order()];
            hosted.ShouldBe(Enumerable.Range(0, topology.Count));
            Enumerable.Range(0, placement.Count).ShouldAllBe(process => placement.ActorsOf(process).Any());
        }
    }

    private static string[] Describe(Placement placement) =>
        [.. Enumerable.Range(0, placement.Count).Select(process =>
            $"{placement.NameOf(process)}: {string.Join(' ', placement.ActorsOf(process).Select((ActorId actor) => actor.Index))}")];
}
