using System.Runtime.InteropServices;
using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Threads;

/// <summary>How runs end on the threads engine, and what they leave.</summary>
public sealed class EndingTests
{
    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.Float64)]
    public void AHugeLearningRateDivergesAndSaysWhereAndWhatToTry(Precision precision)
    {
        RunRequest request = Runs.Of(settings => settings with
        {
            Precision = precision,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, precision == Precision.Float32 ? 1e20 : 1e160),
        });
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Diverged);
        outcome.Reason.ShouldContain($"step {outcome.Steps + 1} ");
        outcome.Reason.ShouldContain("layer ");
        outcome.Reason.ShouldContain("optimizer.learning-rate");
        foreach ((Numerics.Layers.ParameterSpec parameter, byte[] values) in outcome.Parameters)
        {
            double[] numbers = precision == Precision.Float32
                ? [.. MemoryMarshal.Cast<byte, float>(values).ToArray().Select(value => (double)value)]
                : MemoryMarshal.Cast<byte, double>(values).ToArray();
            numbers.ShouldAllBe(value => double.IsFinite(value), parameter.Name);
        }
    }

    [Fact]
    public void ADivergedRunKeepsTheLastCommittedStepInItsJournal()
    {
        using TestFolder folder = new();
        RunRequest request = Runs.Of(settings => settings with
        {
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e12),
            Network = new NetworkSpec(
                7, [new DenseSpec(9, ActivationKind.Relu), new DenseSpec(6, ActivationKind.Relu), new DenseSpec(5, ActivationKind.Linear)]),
            Loss = LossKind.SquaredError,
        }) with { JournalFolder = folder.Journal };
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Diverged);
        Journal.LastSnapshotStep(folder.Journal).ShouldBe(outcome.Steps);
        SequentialTrainer.Run(request, new Observed()).Steps.ShouldBe(outcome.Steps);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.9, 1)]
    [InlineData(0, 2)]
    public void AnUpdateThatIsNotFiniteNamesTheLayerThoughItsSliceBeginsWithAnother(double momentum, int replicas)
    {
        // Where all inputs and weights are 0 only the last bias has a gradient; it goes by 2e39.
        DataSet<float> rows = DataSet<float>.FromVectors("zeros", 3, new float[12], 1, [10, 10, 10, 10]);
        RunSettings settings = Runs.Settings with
        {
            Network = new NetworkSpec(3, [new DenseSpec(2, ActivationKind.Linear), new DenseSpec(1, ActivationKind.Linear)]),
            Loss = LossKind.SquaredError,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e38) { Momentum = momentum },
            Training = new TrainingSettings(1, 4),
            Stages = [2],
            Replicas = replicas,
        };
        Dictionary<string, byte[]> zeros = new(StringComparer.Ordinal)
        {
            ["layers.0.weight"] = new byte[24], ["layers.0.bias"] = new byte[8], ["layers.1.weight"] = new byte[8], ["layers.1.bias"] = new byte[4],
        };
        RunRequest request = new() { Settings = settings, Data = RunData.From(new TrainTest<float>(rows, null)), InitialWeights = zeros, ComputeThreads = 1 };
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Diverged);
        outcome.Reason.ShouldContain("layer 1 (dense) was the first with values that are not finite");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AnObserverMayRunAnotherRunMeanwhile(int threads)
    {
        // The thread that hears of a step may be the one that called the engine, which computes too.
        RunRequest request = Runs.Of() with { ComputeThreads = threads };
        string expected = Bits.Of(new ThreadsEngine().Run(request, new Observed(), default)), inner = "";
        Observed observed = new()
        {
            AtStep = step => inner = step == 3 ? Bits.Of(new ThreadsEngine().Run(request, new Observed(), default)) : inner,
        };
        Bits.Of(new ThreadsEngine().Run(request, observed, default)).ShouldBe(expected);
        inner.ShouldBe(expected);
    }

    [Fact]
    public void AStopBeforeTheFirstStepLeavesTheInitialWeights()
    {
        using CancellationTokenSource stop = new();
        stop.Cancel();
        RunOutcome outcome = new ThreadsEngine().Run(Runs.Of(), new Observed(), stop.Token);
        outcome.Status.ShouldBe(RunStatus.Stopped);
        outcome.Steps.ShouldBe(0);
        outcome.Parameters.Count.ShouldBe(6);
    }

    [Fact]
    public void AnObserverThatThrowsEndsTheRunWithItsException()
    {
        Observed observed = new() { AtStep = step => ThrowAt(step == 3) };
        Should.Throw<InvalidOperationException>(() => new ThreadsEngine().Run(Runs.Of(), observed, default)).Message.ShouldBe("enough");
    }

    [Theory]
    [InlineData("completed")]
    [InlineData("stopped")]
    [InlineData("diverged")]
    [InlineData("crashed observer")]
    public void NothingIsLeftBehindHoweverARunEnds(string ending)
    {
        // Two replicas of three stages with three steps in flight: much is under way whenever it ends.
        RunRequest request = Runs.Of(settings => settings with
        {
            Replicas = 2,
            StepsInFlight = 3,
            ParameterServer = new ParameterServerSettings { Shards = 3, Compression = CompressionKind.TopK, TopKRatio = 0.5 },
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, ending == "diverged" ? 1e30 : 0.1) { Momentum = 0.5 },
        });
        for (int repeat = 0; repeat < 40; repeat++)
        {
            using CancellationTokenSource stop = new();
            long end = 1 + (repeat % 9);
            Observed observed = new() { AtStep = step => EndAt(step == end, ending, stop) };
            ThreadsRun run = new(request, observed, TimeProvider.System);
            try
            {
                run.ToEnd(stop.Token);
            }
            catch (InvalidOperationException)
            {
                ending.ShouldBe("crashed observer");
            }
            finally
            {
                run.Dispose();
            }

            run.LiveBuffers.ShouldBe(0, $"repeat {repeat}");
        }
    }

    [Fact]
    public void SettingsThatCannotBeServedAreRefusedWithTheirKey()
    {
        ThreadsEngine engine = new();
        engine.Refuses(Runs.Of()).ShouldBeNull();
        engine.Refuses(Runs.Of(settings => settings with { ParameterServer = new ParameterServerSettings { Shards = 7 } }))!
            .ShouldStartWith("parameter-server.shards: ");
        engine.Name.ShouldBe("threads");
    }

    private static void EndAt(bool now, string ending, CancellationTokenSource stop)
    {
        if (now && ending == "stopped")
        {
            stop.Cancel();
        }

        ThrowAt(now && ending == "crashed observer");
    }

    private static void ThrowAt(bool now)
    {
        if (now)
        {
            throw new InvalidOperationException("enough");
        }
    }
}
