using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Soaking;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>Two copies of each shard: the same bits, and no committed step is lost with a node.</summary>
public sealed class CopiesTests
{
    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryMethodGivesTheSameBitsWithTwoCopies(string method)
    {
        foreach (string engine in new[] { "simulated", "threads" })
        {
            RunRequest request = DrawnMethod.Of(method, 31_001);
            RunOutcome outcome = Trainers.Run(engine, WithCopies(request));
            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            Bits.Of(outcome).ShouldBe(Bits.Of(Trainers.RunSequentially(request)), DrawnMethod.Describe(request));
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void TheNodeOfAnyActorMayBeLostWithItsDiskAtAnyStep(string method)
    {
        RunRequest request = WithCopies(DrawnMethod.Of(method, 31_002));
        RunPlan plan = PlanOf(request);
        for (int actor = 0; actor < plan.Topology.Count; actor++)
        {
            NodeLossFault loss = new(new ActorId(actor), TimeSpan.FromMilliseconds(300)) { At = FaultTime.AtStep(1 + (actor % plan.TotalSteps)) };
            ShouldHold(request with { Faults = [loss] });
        }
    }

    [Theory]
    [InlineData(Durability.Memory)]
    [InlineData(Durability.Step)]
    [InlineData(Durability.Power)]
    public void NodesMayBeLostOneAfterTheOtherForGood(Durability durability)
    {
        RunRequest drawn = WithCopies(DrawnRun.Of(4));
        RunRequest request = drawn with { Settings = drawn.Settings with { Durability = durability, CheckpointEverySteps = 3 } };
        Topology topology = PlanOf(request).Topology;
        Fault[] faults =
        [
            new NodeLossFault(topology.Shard(0), null) { At = FaultTime.AtStep(2) },
            new NodeLossFault(ActorId.Coordinator, null) { At = FaultTime.AfterTime(TimeSpan.FromSeconds(3)) },
            new NodeLossFault(topology.Shard(0, 1), null) { At = FaultTime.AfterTime(TimeSpan.FromSeconds(6)) },
        ];
        ShouldHold(request with { Faults = faults });
    }

    [Fact]
    public void WithEveryCopyOfAShardLostTheRunSaysSo()
    {
        RunRequest request = WithCopies(DrawnRun.Of(4));
        Topology topology = PlanOf(request).Topology;
        Fault[] faults =
        [
            new NodeLossFault(topology.Shard(0), null) { At = FaultTime.AtStep(3) },
            new NodeLossFault(topology.Shard(0, 1), null) { At = FaultTime.AtStep(3) },
        ];
        RunOutcome outcome = Trainers.Run("simulated", request with { Faults = faults });
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain("lost");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void WithOneCopyTheLossOfItsNodeOrTheCoordinatorsEndsTheRun(int checkpointEvery)
    {
        RunRequest drawn = DrawnRun.Of(4);
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { CheckpointEverySteps = checkpointEvery, Training = drawn.Settings.Training with { Epochs = 8, EarlyStoppingPatience = null } },
        };
        PlanOf(request).TotalSteps.ShouldBeGreaterThan(2 * checkpointEvery);
        Topology topology = PlanOf(request).Topology;
        foreach (ActorId actor in new[] { ActorId.Coordinator, topology.Shard(0) })
        {
            RunOutcome outcome = Trainers.Run("simulated", request with
            {
                Faults = [new NodeLossFault(actor, TimeSpan.Zero) { At = FaultTime.AtStep(PlanOf(request).TotalSteps) }],
            });
            (outcome.Status == RunStatus.Failed || checkpointEvery == 0).ShouldBeTrue(outcome.Reason);
        }
    }

    [Fact]
    public void OneNodeCannotHoldTwoCopies()
    {
        RunRequest request = WithCopies(DrawnRun.Of(4)) with { Simulation = new SimulationSettings { Nodes = 1 } };
        new SimulatedEngine().Refuses(request)!.ShouldContain("parameter-server.copies: two copies of a shard never share a node, and there is one");
    }

    [Fact]
    public void AnAsynchronousServerIsRefusedWithTwoCopies()
    {
        RunRequest drawn = DrawnRun.Of(4);
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { ParameterServer = new ParameterServerSettings { Copies = 2, Consistency = Consistency.Async } },
        };
        new SimulatedEngine().Refuses(request)!.ShouldContain("expected copies: 1, or parameter-server.consistency: sync");
    }

    private static void ShouldHold(RunRequest request)
    {
        (Engines.Checking.Finding? finding, _) = SoakRun.Check(request);
        finding.ShouldBeNull();
        RunOutcome outcome = Trainers.Run("simulated", request);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
    }

    private static RunRequest WithCopies(RunRequest request) => request with
    {
        Settings = request.Settings with { ParameterServer = request.Settings.ParameterServer with { Copies = 2, Consistency = Consistency.Sync } },
    };

    private static RunPlan PlanOf(RunRequest request) => new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
}
