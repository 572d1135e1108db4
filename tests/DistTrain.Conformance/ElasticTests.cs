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

/// <summary>Nodes that join and leave change where actors live, and no bit.</summary>
public sealed class ElasticTests
{
    public static TheoryData<string> Methods => [.. DrawnMethod.Names];

    [Theory]
    [MemberData(nameof(Methods))]
    public void NodesMayJoinAndLeaveInOrderAtAnyStep(string method)
    {
        foreach (int copies in new[] { 1, 2 })
        {
            RunRequest drawn = DrawnMethod.Of(method, 32_001);
            RunRequest request = drawn with
            {
                Settings = drawn.Settings with { ParameterServer = drawn.Settings.ParameterServer with { Copies = copies, Consistency = Consistency.Sync } },
                Simulation = new SimulationSettings { Nodes = 2 },
            };
            RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
            Fault[] faults =
            [
                new NodeJoinFault(2) { At = FaultTime.AtStep(1) },
                new NodeLeaveFault(plan.Topology.Shard(0)) { At = FaultTime.AtStep(Math.Min(3, plan.TotalSteps)) },
                new NodeLeaveFault(new ActorId(1)) { At = FaultTime.AtStep(plan.TotalSteps) },
            ];
            (Engines.Checking.Finding? finding, _) = SoakRun.Check(request with { Faults = faults });
            finding.ShouldBeNull(DrawnMethod.Describe(request));
        }
    }

    [Fact]
    public void ANodeThatJoinsTakesWorkFromTheOthers()
    {
        // Six layer actors with long jobs on one slot take as long as their sum; on four nodes they overlap.
        RunRequest drawn = DrawnRun.Of(4);
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { Replicas = 2, Training = drawn.Settings.Training with { Epochs = 6, EarlyStoppingPatience = null } },
            Simulation = new SimulationSettings { Nodes = 1, JobOverhead = TimeSpan.FromMilliseconds(5) },
        };
        RunOutcome alone = Trainers.Run("simulated", request);
        RunOutcome joined = Trainers.Run("simulated", request with { Faults = [new NodeJoinFault(3) { At = FaultTime.AtStep(2) }] });
        (alone.Status, joined.Status).ShouldBe((RunStatus.Completed, RunStatus.Completed), joined.Reason);
        Bits.Of(joined).ShouldBe(Bits.Of(alone));
        joined.Virtual!.Value.ShouldBeLessThan(alone.Virtual!.Value * 0.9);
        joined.Restarts.ShouldBe(1);
        joined.StepsRedone.ShouldBe(0);
    }
}
