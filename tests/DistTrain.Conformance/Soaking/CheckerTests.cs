using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Engines.Checking;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Soaking;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance.Soaking;

/// <summary>The checkers accuse nobody wrongly: what soak runs have reported once and was none of the protocol's doing.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void AJobThatEndsInALaterEpochIsNobodysNewestState()
    {
        // Slots enough for jobs of the next epoch to begin before those of the last have ended.
        RunRequest drawn = DrawnRun.Of(18) with { Simulation = new SimulationSettings { SuspectAfter = TimeSpan.Zero, SlotsPerNode = 8 } };
        Topology topology = TopologyOf(drawn);
        TimeSpan suspected = TimeSpan.FromMilliseconds(0.3);
        for (int factor = 200; factor <= 10_000; factor += 200)
        {
            // The shard's first job takes milliseconds; those of the next epoch, which begins when the shard is fast again, a few microseconds.
            Fault[] faults =
            [
                new SlowFault(topology.Shard(0), factor, suspected),
                new SuspicionFault(new ActorId(1)) { At = FaultTime.AfterTime(suspected) },
            ];
            SoakRun.Check(drawn with { Faults = faults }).Finding.ShouldBeNull($"{factor}");
        }
    }

    [Fact]
    public void AMemberThatWasToBeReplacedAndStaysKeepsWhatItHolds()
    {
        RunRequest drawn = DrawnRun.Of(18);
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { ParameterServer = drawn.Settings.ParameterServer with { Copies = 2 } },
            Simulation = new SimulationSettings { Persist = TimeSpan.FromMilliseconds(2), SuspectAfter = TimeSpan.Zero },
        };
        Topology topology = TopologyOf(request);
        for (int first = 10; first < 60; first++)
        {
            // The second suspicion replaces the decision upon the first, whose record is kept; of the second's the coordinator does not live to hear.
            TimeSpan at = TimeSpan.FromMilliseconds(first);
            Fault[] faults =
            [
                new SuspicionFault(topology.Shard(0)) { At = FaultTime.AfterTime(at) },
                new SuspicionFault(new ActorId(1)) { At = FaultTime.AfterTime(at + TimeSpan.FromMilliseconds(1)) },
                new CrashFault(ActorId.Coordinator, TimeSpan.FromMilliseconds(4)) { At = FaultTime.AfterTime(at + TimeSpan.FromMilliseconds(2.5)) },
            ];
            SoakRun.Check(request with { Faults = faults }).Finding.ShouldBeNull($"{at}");
        }
    }

    [Fact]
    public void ARunThatDivergesOfItselfMayDivergeAmongFaults()
    {
        const double tooHigh = 1e200;
        RunRequest drawn = DrawnRun.Of(18);
        RunRequest request = drawn with
        {
            Settings = drawn.Settings with { Optimizer = drawn.Settings.Optimizer with { LearningRate = tooHigh } },
            Faults = [new SuspicionFault(new ActorId(1)) { At = FaultTime.AtStep(1) }],
        };
        new SimulatedEngine().Run(request with { Faults = [] }, new Observed(), CancellationToken.None).Status.ShouldBe(RunStatus.Diverged);
        SoakRun.Check(request).Finding.ShouldBeNull();
    }

    [Fact]
    public void ARunThatDivergesOnlyAmongFaultsIsReported()
    {
        RunRequest request = DrawnRun.Of(18) with { Faults = [new SuspicionFault(new ActorId(1)) { At = FaultTime.AtStep(1) }] };
        Finding finding = SoakRun.Check(request, faults: null, _ => new HostSeams { Step = LoseLosses }).Finding.ShouldNotBeNull();
        finding.Guarantee.ShouldBe("progress");
        finding.What.ShouldStartWith("the run diverged");
    }

    private static void LoseLosses(ActorMachine machine, in Stimulus stimulus, EffectList effects)
    {
        Stimulus spoilt = stimulus.Envelope is { Message: StepResult result } envelope
            ? Stimulus.Arrived(envelope with { Message = result with { LossSum = double.NaN } })
            : stimulus;
        machine.Step(spoilt, effects);
    }

    private static Topology TopologyOf(RunRequest request) => new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology;
}
