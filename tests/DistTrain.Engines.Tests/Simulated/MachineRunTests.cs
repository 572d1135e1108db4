using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

/// <summary>Simulated runs that stand for the threads engine on a measured machine.</summary>
public sealed class MachineRunTests
{
    private static readonly MachineProfile s_machine = MachineProfile.Default;

    [Theory]
    [InlineData("backprop", 1)]
    [InlineData("backprop", 4)]
    [InlineData("direct-feedback-alignment", 1)]
    [InlineData("local-loss", 1)]
    public void OnOneThreadAStepTakesWhatPlanSays(string method, int microBatches)
    {
        // What plan says of longer runs less what it says of shorter ones is steps alone; it does not foresee acknowledgements.
        RunRequest few = Request(method, microBatches, epochs: 4, threads: 1), many = Request(method, microBatches, epochs: 12, threads: 1);
        double acknowledged = (Acknowledged(many) - Acknowledged(few)) * s_machine.MessageSeconds;
        double planned = Planned(many) - Planned(few) + acknowledged, simulated = Simulated(many) - Simulated(few);
        simulated.ShouldBe(planned, 0.01 * planned);
    }

    [Fact]
    public void APredictionIsAFunctionOfProfileAndPlan()
    {
        RunRequest request = Request("backprop", 4, epochs: 3, threads: 2);
        double once = Simulated(request);
        Simulated(request).ShouldBe(once);
        Simulated(With(request, s_machine with { JobSeconds = 2 * s_machine.JobSeconds })).ShouldBeGreaterThan(once);
        Simulated(With(request, s_machine with { MessageSeconds = 2 * s_machine.MessageSeconds })).ShouldBeGreaterThan(once);
    }

    [Fact]
    public void ASecondThreadHelpsWithLargeProducts()
    {
        double one = Simulated(Request("backprop", 1, epochs: 4, threads: 1)), two = Simulated(Request("backprop", 1, epochs: 4, threads: 2));
        two.ShouldBeInRange(one / 2, 0.9 * one);

        // A thread that is woken too late finds nothing left. The first one is woken to begin with.
        RunRequest asleep = With(Request("backprop", 1, epochs: 4, threads: 2), s_machine with { WakeSeconds = 1, HandOverSeconds = 1 });
        (Simulated(asleep) - 1).ShouldBe(one, 0.05 * one);
    }

    [Fact]
    public void SharingThreadsNeverChangesABit()
    {
        foreach (int slots in (int[])[1, 2, 3])
        {
            RunRequest request = Runs.Of(settings => settings with { ParameterServer = new ParameterServerSettings { Shards = 2 } });
            RunOutcome expected = new ThreadsEngine().Run(request, new Observed(), CancellationToken.None);
            RunRequest crashing = request with
            {
                Simulation = new SimulationSettings { Machine = s_machine, Nodes = 2, SlotsPerNode = slots },
                Faults =
                [
                    new CrashFault(new ActorId(2), TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(3) },
                    new SlowFault(new ActorId(1), 10, TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(4) },
                ],
            };
            using SimulatedRun run = new(crashing, new Observed());
            RunOutcome outcome = run.ToEnd(CancellationToken.None);
            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            Bits.Of(outcome).ShouldBe(Bits.Of(expected));
            run.Deaths.ShouldBeGreaterThan(0);
            run.GiveEverythingBack();
            run.LiveBuffers.ShouldBe(0);
        }
    }

    [Fact]
    public void TimeWithoutArithmeticIsTimeWithArithmetic()
    {
        RunRequest request = Runs.Of() with { Simulation = new SimulationSettings { Machine = s_machine, Nodes = 1, SlotsPerNode = 2 } };
        RunOutcome whole = new SimulatedEngine().Run(request, new Observed(), CancellationToken.None);
        RunOutcome timed = new SimulatedEngine().Run(
            request with { Simulation = request.Simulation with { TimingOnly = true } }, new Observed(), CancellationToken.None);
        timed.Virtual.ShouldBe(whole.Virtual);
    }

    private static double Planned(RunRequest request) => CostModel.Of(
        request.Settings, request.Data.TrainRows, request.Data.TestRows, machine: request.Simulation.Machine!.OnOneThread())
        .Methods.Single(entry => entry.Planned).Seconds;

    private static long Acknowledged(RunRequest request) =>
        new SimulatedEngine().Run(request, new Observed(), CancellationToken.None).MessagesByType.Where(type => type.Key == "acknowledge").Sum(type => type.Value);

    private static double Simulated(RunRequest request) => new SimulatedEngine().Run(request, new Observed(), CancellationToken.None).Virtual!.Value.TotalSeconds;

    private static RunRequest With(RunRequest request, MachineProfile machine) =>
        request with { Simulation = request.Simulation with { Machine = machine } };

    private static RunRequest Request(string method, int microBatches, int epochs, int threads)
    {
        const int Rows = 256, Inputs = 300, Classes = 10;
        DataSet<float> rows = DataSet<float>.FromLabels("zeros", Inputs, new float[Rows * Inputs], [.. Enumerable.Range(0, Rows).Select(row => row % Classes)], Classes);
        return new RunRequest
        {
            Settings = new RunSettings
            {
                Name = "machine",
                Network = new NetworkSpec(
                    Inputs, [new DenseSpec(200, ActivationKind.Relu), new DenseSpec(100, ActivationKind.Tanh), new DenseSpec(Classes, ActivationKind.Softmax)]),
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
                Training = new TrainingSettings(epochs, 64, microBatches) { EvaluateEvery = epochs },
                Method = new MethodSettings(method),
                Stages = [1, 1, 1],
                CheckpointEverySteps = 0,
            },
            Data = RunData.From(new TrainTest<float>(rows, null)),
            Simulation = new SimulationSettings
            {
                Machine = s_machine, Nodes = 1, SlotsPerNode = threads, Latency = TimeSpan.Zero, TimingOnly = true,
            },
        };
    }
}
