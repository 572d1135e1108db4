using DistTrain.Conformance.Support;
using DistTrain.Engines;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Conformance;

/// <summary>
/// A synchronous run gives the same bits whatever runs it: stages, shards, threads, schedules and arrival order change nothing.
/// </summary>
public sealed class SameBitsTests
{
    private const int RunsPerPart = 40;

    public static TheoryData<string, int> Parts
    {
        get
        {
            TheoryData<string, int> all = [];
            foreach (string engine in Trainers.EngineNames)
            {
                for (int part = 0; part < 5; part++)
                {
                    all.Add(engine, part);
                }
            }

            return all;
        }
    }

    public static TheoryData<string> Engines => [.. Trainers.EngineNames];

    [Theory]
    [MemberData(nameof(Parts))]
    public void DrawnRunsGiveTheBitsOfThePlainLoop(string engine, int part)
    {
        for (int i = 0; i < RunsPerPart; i++)
        {
            RunRequest request = DrawnRun.Of((ulong)((part * RunsPerPart) + i + 1));
            ShouldGiveTheBitsOfThePlainLoop(engine, request);
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void EveryPartitionAndScheduleGivesTheSameBits(string engine)
    {
        // One reference for all of them: the plain loop knows neither stages nor schedules.
        RunRequest request = Base(microBatches: 3);
        string reference = Bits.Of(Trainers.RunSequentially(request));
        int[][] partitions = [[4], [1, 3], [2, 2], [3, 1], [1, 1, 2], [1, 2, 1], [2, 1, 1], [1, 1, 1, 1]];
        foreach (int[] stages in partitions)
        {
            foreach (string schedule in (string[])["sequential", "fill-drain", "1f1b"])
            {
                foreach (int shards in (int[])[1, 3])
                {
                    RunRequest run = With(request, settings => settings with
                    {
                        Stages = stages,
                        Method = new MethodSettings("backprop", schedule),
                        ParameterServer = new ParameterServerSettings { Shards = shards },
                    });
                    Bits.Of(Trainers.Run(engine, run)).ShouldBe(reference, DrawnRun.Describe(run));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void AStageOfDropoutAloneIsAStage(string engine)
    {
        RunRequest request = With(Base(microBatches: 2), settings => settings with { Stages = [1, 1, 2] });
        request.Settings.Network.Layers[1].ShouldBeOfType<DropoutSpec>();
        ShouldGiveTheBitsOfThePlainLoop(engine, request);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void AShardForEveryTensorServesStagesWithoutAny(string engine)
    {
        RunRequest request = With(Base(microBatches: 1), settings => settings with
        {
            Network = new NetworkSpec(7, [new DenseSpec(6, ActivationKind.Tanh), new DropoutSpec(0.2), new DenseSpec(5, ActivationKind.Softmax)]),
            Stages = [1, 1, 1],
            ParameterServer = new ParameterServerSettings { Shards = 4 },
        });
        ShouldGiveTheBitsOfThePlainLoop(engine, request);
    }

    /// <summary>The plain loop adds every micro-batch to the whole gradient. The last step has 3 rows, so that most of its micro-batches have none.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void GradientsThatAreMultipliedOutForSeveralMicroBatchesGiveTheBitsOfThePlainLoop(string engine)
    {
        foreach (int replicas in (int[])[1, 2])
        {
            foreach (int[] stages in (int[][])[[4], [1, 2, 1]])
            {
                RunRequest request = With(Base(microBatches: 9), settings => settings with
                {
                    Network = new NetworkSpec(
                        40,
                        [
                            new DenseSpec(50, ActivationKind.Tanh), new DenseSpec(60, ActivationKind.Prelu), new MaxoutSpec(40, 2),
                            new DenseSpec(5, ActivationKind.Softmax),
                        ]),
                    Training = settings.Training with { BatchSize = 17 * replicas },
                    Stages = stages,
                    Replicas = replicas,
                }) with { Data = SmallData.Classes(Numerics.Precision.Float32, (34 * replicas) + 3, 12, 40, 5) };
                RunPlan plan = new(request.Settings, (34 * replicas) + 3, 12);
                plan.Parameters.Where(place => plan.IsCollected(place.Parameter)).Select(place => place.Parameter.Name)
                    .ShouldBe(["layers.0.weight", "layers.1.weight", "layers.2.weight"]);
                ShouldGiveTheBitsOfThePlainLoop(engine, request);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void GradientsThatTravelAsFactorsGiveTheBitsOfWholeOnes(string engine)
    {
        foreach (OptimizerSpec optimizer in (OptimizerSpec[])[new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, WeightDecay = 0.01 }, new(OptimizerKind.Adam, 0.01)])
        {
            foreach (int[] stages in (int[][])[[3], [1, 2], [1, 1, 1]])
            {
                RunRequest factored = With(Base(microBatches: 1), settings => settings with
                {
                    Network = new NetworkSpec(
                        40, [new DenseSpec(30, ActivationKind.Tanh), new DenseSpec(50, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Softmax)]),
                    Optimizer = optimizer,
                    Stages = stages,
                }) with { Data = SmallData.Classes(Numerics.Precision.Float32, 33, 12, 40, 5) };

                // A norm that is never reached leaves a step as it is, but has to be computed from whole gradients.
                RunRequest whole = With(factored, settings => settings with { Optimizer = optimizer with { ClipNorm = 1e9 } });
                new RunPlan(factored.Settings, 33, 12).Parameters.Count(place => place.Parameter.FactoredRows > 0).ShouldBe(2);
                new RunPlan(whole.Settings, 33, 12).FactoredRows.ShouldBe(0);
                string expected = Bits.Of(Trainers.RunSequentially(whole));
                Bits.Of(Trainers.RunSequentially(factored)).ShouldBe(expected);
                Bits.Of(Trainers.Run(engine, whole)).ShouldBe(expected);
                Bits.Of(Trainers.Run(engine, factored)).ShouldBe(expected);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void TheSameRunGivesTheSameBitsEveryTime(string engine)
    {
        RunRequest request = With(Base(microBatches: 2), settings => settings with
        {
            Stages = [1, 1, 1, 1],
            Replicas = 3,
            ParameterServer = new ParameterServerSettings { Shards = 3 },
            Optimizer = settings.Optimizer with { ClipNorm = 0.3 },
        }) with { ComputeThreads = 3 };
        string reference = Bits.Of(Trainers.RunSequentially(request));
        for (int repeat = 0; repeat < 40; repeat++)
        {
            Bits.Of(Trainers.Run(engine, request)).ShouldBe(reference);
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void RunsThatDivergeEndAtTheSameStepWithTheSameWeights(string engine)
    {
        foreach (double rate in (double[])[1e3, 1e12, 1e20, 1e30, 1e38])
        {
            RunRequest request = With(Base(microBatches: 2), settings => settings with
            {
                Stages = [2, 2],
                Network = new NetworkSpec(
                    7,
                    [
                        new DenseSpec(9, ActivationKind.Relu), new DropoutSpec(0.25), new DenseSpec(6, ActivationKind.Linear),
                        new DenseSpec(5, ActivationKind.Linear),
                    ]),
                Loss = LossKind.SquaredError,
                Optimizer = settings.Optimizer with { LearningRate = rate },
            });
            RunOutcome expected = Trainers.RunSequentially(request), outcome = Trainers.Run(engine, request);
            expected.Status.ShouldBe(RunStatus.Diverged);
            (outcome.Status, outcome.Steps).ShouldBe((expected.Status, expected.Steps), $"rate {rate}: {outcome.Reason}; {expected.Reason}");
            Bits.Of(outcome).ShouldBe(Bits.Of(expected), $"rate {rate}");
        }
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public void WhatIsReportedIsTheSameToo(string engine)
    {
        RunRequest request = With(Base(microBatches: 2), settings => settings with { Stages = [2, 2], Replicas = 2 });
        Observed plain = new(), actors = new();
        RunOutcome expected = Trainers.RunSequentially(request, plain), outcome = Trainers.Run(engine, request, actors);

        actors.Steps.Select(Timeless).ShouldBe(plain.Steps.Select(Timeless));
        actors.Epochs.Select(epoch => epoch with { Elapsed = default }).ShouldBe(plain.Epochs.Select(epoch => epoch with { Elapsed = default }));
        (outcome.Steps, outcome.Epochs).ShouldBe((expected.Steps, expected.Epochs));
        outcome.TrainAccuracy.ShouldBe(expected.TrainAccuracy);
        outcome.TestAccuracy.ShouldBe(expected.TestAccuracy);
        outcome.FinalLoss.ShouldBe(expected.FinalLoss, 1e-12);
        outcome.TestLoss!.Value.ShouldBe(expected.TestLoss!.Value, 1e-12);
        outcome.BytesSent.ShouldBeGreaterThan(0);
        outcome.MessagesByType.Select(pair => pair.Key).ShouldContain("contribution");
    }

    private static readonly RunClock NoTime = RunClock.Still(TimeSpan.Zero);

    private static StepProgress Timeless(StepProgress step) => step with { Clock = NoTime };

    private static void ShouldGiveTheBitsOfThePlainLoop(string engine, RunRequest request)
    {
        Observed plain = new(), actors = new();
        RunOutcome expected = Trainers.RunSequentially(request, plain), outcome = Trainers.Run(engine, request, actors);
        outcome.Status.ShouldBe(expected.Status, $"{DrawnRun.Describe(request)}: {outcome.Reason}");
        Bits.Of(outcome).ShouldBe(Bits.Of(expected), DrawnRun.Describe(request));
        actors.Steps.Select(step => step.Loss).ShouldBe(plain.Steps.Select(step => step.Loss), DrawnRun.Describe(request));
    }

    private static RunRequest Base(int microBatches) => new()
    {
        Settings = new RunSettings
        {
            Name = "base",
            Network = new NetworkSpec(
                7,
                [new DenseSpec(9, ActivationKind.Tanh), new DropoutSpec(0.25), new MaxoutSpec(6, 2), new DenseSpec(5, ActivationKind.Softmax)]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
            Training = new TrainingSettings(3, 10, microBatches),
            Stages = [4],
        },
        Data = SmallData.Classes(Numerics.Precision.Float32, 33, 12, 7, 5),
        ComputeThreads = 2,
    };

    private static RunRequest With(RunRequest request, Func<RunSettings, RunSettings> change) =>
        request with { Settings = change(request.Settings) };
}
