using DistTrain.Conformance.Support;
using DistTrain.Data;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tests.Simulated;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Tracing;

/// <summary>
/// Locks as methods promise them, where passes take equal times and nothing else takes any. What a pipeline waits while it fills and drains is a wait all the
/// same, so that some promises are about further steps: the difference between a longer and a shorter run.
/// </summary>
public sealed class LockAccountTests
{
    private const int Stages = 5, Steps = 40;

    [Theory]
    [InlineData("backprop")]
    [InlineData("feedback-alignment")]
    [InlineData("target-propagation")]
    public void EveryMiddleLayerOfASequentialScheduleHasAllThreeLocks(string method)
    {
        foreach (LayerTimes layer in Account(method, Steps).Layers.Skip(1).SkipLast(1))
        {
            layer.Of(TimeShare.ForwardLock).ShouldBeGreaterThan(0, layer.Name);
            layer.Of(TimeShare.UpdateLock).ShouldBeGreaterThan(0, layer.Name);
            layer.Of(TimeShare.BackwardLock).ShouldBeGreaterThan(0, layer.Name);
        }
    }

    [Fact]
    public void BackpropagationsLocksAreThoseOfItsSchedule()
    {
        // Layer i of 5 waits for 4 − i forward passes behind it, then for as many backward passes; a pass takes a millisecond.
        LockReport report = Account("backprop", Steps);
        for (int layer = 0; layer < Stages; layer++)
        {
            report.Layers[layer].Of(TimeShare.UpdateLock).ShouldBe(Steps * (Stages - 1 - layer) * 1_000_000L);
            report.Layers[layer].Of(TimeShare.BackwardLock).ShouldBe(Steps * (Stages - 1 - layer) * 1_000_000L);
            report.Layers[layer].Of(TimeShare.Busy).ShouldBe(Steps * 2 * 1_000_000L);
        }
    }

    [Fact]
    public void DirectFeedbackHasAnUpdateLockAndNoBackwardLock()
    {
        LockReport report = Account("direct-feedback-alignment", Steps);
        report.Layers.ShouldAllBe(layer => layer.Of(TimeShare.BackwardLock) == 0);
        report.Layers.SkipLast(1).ShouldAllBe(layer => layer.Of(TimeShare.UpdateLock) > 0);
    }

    [Theory]
    [InlineData("delayed-gradient")]
    [InlineData("features-replay")]
    [InlineData("pipedream")]
    public void DelayedSignalsAreWaitedForOnlyWhileThePipelineFillsAndDrains(string method)
    {
        LockReport shorter = Account(method, Steps), longer = Account(method, 2 * Steps);
        shorter.Layers[0].Of(TimeShare.BackwardLock).ShouldBeGreaterThan(0);
        foreach ((LayerTimes fewer, LayerTimes more) in shorter.Layers.Zip(longer.Layers))
        {
            more.Of(TimeShare.BackwardLock).ShouldBe(fewer.Of(TimeShare.BackwardLock), more.Name);
            more.Of(TimeShare.UpdateLock).ShouldBe(0, more.Name);
        }
    }

    [Theory]
    [InlineData("synthetic-gradient")]
    [InlineData("local-loss")]
    [InlineData("greedy")]
    [InlineData("hsic-bottleneck")]
    [InlineData("final-layer-only")]
    public void LayersThatMakeTheirOwnSignalHaveNeitherUpdateNorBackwardLock(string method)
    {
        LockReport report = Account(method, Steps);
        report.Layers.ShouldAllBe(layer => layer.Of(TimeShare.UpdateLock) == 0 && layer.Of(TimeShare.BackwardLock) == 0);
        report.Layers.Sum(layer => layer.Of(TimeShare.ForwardLock)).ShouldBeGreaterThan(0);
    }

    [Fact]
    public void UnderFrontContributionTheOtherLayerActorsAreReleasedAfterTheyContributed()
    {
        KeptTrace kept = new();
        LockReport report = Account("front-contribution", Steps, new SimulationSettings { TimingOnly = true }, kept);
        long contributed = kept.Messages.Where(message => message.Type == "contributed-tile").Max(message => message.SentNanoseconds);
        long lastStep = kept.Spans.Where(span => span.Step == Steps).Max(span => span.EndNanoseconds);
        kept.Waits.Where(wait => wait.Actor.Index is >= 1 and < Stages && wait.Nanoseconds > contributed && wait.Nanoseconds < lastStep)
            .ShouldAllBe(wait => wait.Wait == ActorWait.Released);
        report.Layers.SkipLast(1).ShouldAllBe(layer => layer.Of(TimeShare.Released) > layer.Elapsed * 9 / 10);
        report.Layers[^1].Of(TimeShare.ForwardLock).ShouldBeGreaterThan(0);
        report.Layers.ShouldAllBe(layer => layer.Of(TimeShare.UpdateLock) == 0 && layer.Of(TimeShare.BackwardLock) == 0);
    }

    [Fact]
    public void LayersThatGreedyTrainingDoesNotReachAreReleased()
    {
        LockReport report = Account("greedy", Steps);
        report.Layers.Select(layer => layer.Of(TimeShare.Released)).ShouldBeInOrder(SortDirection.Ascending);
        report.Layers[^1].Of(TimeShare.Released).ShouldBeGreaterThan(report.Elapsed / 2);
    }

    [Theory]
    [InlineData("backprop")]
    [InlineData("features-replay")]
    [InlineData("greedy")]
    [InlineData("synthetic-gradient")]
    public void FiveKindsOfWaitingAddUpToTheTimeOutsideJobs(string method)
    {
        KeptTrace kept = new();
        LockReport report = Account(method, Steps, Timing.Free, kept);
        foreach (LayerTimes layer in report.Layers)
        {
            long jobs = kept.Spans.Where(span => span.Actor == layer.Actor && span.Step > 0).Sum(span => span.EndNanoseconds - span.StartNanoseconds);
            layer.Idle.ShouldBe(layer.Shares.Skip(1).Sum());
            (layer.Elapsed - layer.Idle).ShouldBe(jobs, layer.Name);
        }
    }

    [Fact]
    public void AmongFaultsAndEvaluationsTheSharesStillAddUpAndSlicesFollowOneAnother()
    {
        RunRequest request = Runs.Of() with
        {
            Simulation = new SimulationSettings { Jitter = TimeSpan.FromMilliseconds(1), Drop = 0.05, Duplicate = 0.05, Reorder = 0.05, Nodes = 2 },
            Faults = [new CrashFault(new ActorId(2), TimeSpan.FromSeconds(1)) { At = FaultTime.AtStep(5) }],
        };
        List<WaitSlice> slices = [];
        LockReport report = Account(request, slices.Add);
        foreach (LayerTimes layer in report.Layers)
        {
            layer.Shares.Sum().ShouldBe(report.Elapsed);
            WaitSlice[] own = [.. slices.Where(slice => slice.Actor == layer.Actor)];
            own.Sum(slice => slice.EndNanoseconds - slice.StartNanoseconds).ShouldBe(report.Elapsed);
            own.Zip(own.Skip(1)).ShouldAllBe(pair => pair.First.EndNanoseconds <= pair.Second.StartNanoseconds);
        }
    }

    [Theory]
    [InlineData("backprop", false)]
    [InlineData("synthetic-gradient", false)]
    [InlineData("features-replay", false)]
    [InlineData("delayed-gradient", true)]
    [InlineData("pipedream", true)]
    public void GradientsAreAsOldAsTheStageIsFarFromTheEnd(string method, bool isStale)
    {
        LockReport report = Account(method, Steps);
        for (int layer = 0; layer < Stages; layer++)
        {
            int expected = isStale ? Stages - 1 - layer : 0;
            report.Layers[layer].StalenessMax.ShouldBe(expected);
            report.Layers[layer].StalenessMean!.Value.ShouldBeInRange(expected * 0.9, expected);
        }
    }

    [Fact]
    public void TheBubbleIsThatOfTheFormulaAndActivationsAreCountedExactly()
    {
        foreach (int microBatches in (int[])[1, 4, 8])
        {
            LockReport report = Account(Timing.Pipeline(Stages, microBatches, "fill-drain", Timing.Free, steps: 3));
            report.Bubble.ShouldBe((Stages - 1.0) / (microBatches + Stages - 1), 1e-9);

            // Two inputs and two outputs of float32 a row; relu needs no more.
            report.Layers[0].PeakActivationBytes.ShouldBe(microBatches * (2 + 2) * sizeof(float));
        }
    }

    private static LockReport Account(string method, int steps, SimulationSettings? simulation = null, KeptTrace? kept = null)
    {
        int epochs = method == "greedy" ? Stages : 1;
        RunRequest request = Timing.Pipeline(Stages, 1, "sequential", simulation ?? Timing.Free);
        DataSet<float> rows = DataSet<float>.FromLabels("zeros", 2, new float[2 * steps / epochs], new int[steps / epochs], 2);
        return Account(
            request with
            {
                Data = RunData.From(new TrainTest<float>(rows, null)),
                Settings = request.Settings with
                {
                    Method = request.Settings.Method with { Name = method },
                    Training = new TrainingSettings(epochs, 1) { EvaluateEvery = epochs },
                },
            },
            kept: kept);
    }

    private static LockReport Account(RunRequest request, Action<WaitSlice>? listener = null, KeptTrace? kept = null)
    {
        LockAccount account = new(new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows)) { Listener = listener };
        RunOutcome outcome = new SimulatedEngine().Run(
            request with { Trace = kept is null ? account : new TraceFan(account, kept) }, new Observed(), default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        return account.Report(outcome.Virtual!.Value.Ticks * TimeSpan.NanosecondsPerTick);
    }
}
