using DistTrain.Conformance.Support;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Tests.Support;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class RunRecorderTests
{
    // 38 rows in batches of 10: four steps an epoch, the last one of 8 rows; three epochs.
    private static readonly RunPlan Plan = new(Runs.Settings, 38, 12);

    private readonly Observed _observed = new();

    [Fact]
    public void ReportsBecomeMeansOverRows()
    {
        RunRecorder recorder = Recorder();
        recorder.On(new StepCommitted(1, 25, 7, 10, 0.1));
        recorder.On(new StepCommitted(4, 4, 2, 8, 0.05));
        recorder.On(new EpochCompleted(1, 4, 1.5, 0.5, 1.25, 0.75));

        _observed.Steps.Select(step => (step.Step, step.TotalSteps, step.Loss, step.Accuracy, step.Rows, step.LearningRate))
            .ShouldBe([(1, 12, 2.5, 0.7, 10, 0.1), (4, 12, 0.5, 0.25, 8, 0.05)]);
        _observed.Epochs.Single().ShouldBe(new EpochProgress(1, 3, 4, 1.5, 0.5, 1.25, 0.75, _observed.Epochs[0].Elapsed));
    }

    [Fact]
    public void WhatWasReportedBeforeARecoveryIsNotReportedAgain()
    {
        RunRecorder recorder = Recorder();
        recorder.On(new StepCommitted(1, 1, 1, 10, 0.1));
        recorder.On(new StepCommitted(2, 1, 1, 10, 0.1));
        recorder.On(new Recovered(2, 0, 3));
        recorder.On(new StepCommitted(1, 1, 1, 10, 0.1));
        recorder.On(new StepCommitted(2, 1, 1, 10, 0.1));
        recorder.On(new StepCommitted(3, 1, 1, 10, 0.1));
        recorder.On(new EpochCompleted(1, 4, 1, 1, null, null));
        recorder.On(new EpochCompleted(1, 4, 1, 1, null, null));
        recorder.On(new RunEnded(RunEnd.Stopped, 3, ""));

        _observed.Steps.Select(step => step.Step).ShouldBe([1L, 2L, 3L]);
        _observed.Epochs.Count.ShouldBe(1);
        RunOutcome outcome = recorder.Outcome(KeptParameters.None, []);
        (outcome.Status, outcome.Steps, outcome.StepsRedone, outcome.Restarts).ShouldBe((RunStatus.Stopped, 3, 3, 1));
    }

    [Fact]
    public void AnOutcomeSaysTheStepOfItsWeightsThoughLaterOnesWereReported()
    {
        RunRecorder recorder = Recorder();
        recorder.On(new StepCommitted(4, 1, 1, 8, 0.1));
        recorder.On(new StepCommitted(5, 1, 1, 10, 0.1));
        recorder.On(new Recovered(2, 3, 2));
        recorder.On(new RunEnded(RunEnd.Stopped, 3, ""));
        RunOutcome outcome = recorder.Outcome(KeptParameters.None, []);
        (outcome.Steps, outcome.Epochs).ShouldBe((3, 0));
    }

    [Fact]
    public void AResumedRunReportsFromItsStepOn()
    {
        RunRecorder recorder = Recorder();
        recorder.StartAfter(new CoordinatorProgress { Step = 5 });
        recorder.On(new StepCommitted(5, 1, 1, 10, 0.1));
        recorder.On(new StepCommitted(6, 1, 1, 10, 0.1));
        recorder.On(new EpochCompleted(1, 4, 1, 1, null, null));
        recorder.On(new EpochCompleted(2, 8, 1, 1, null, null));
        _observed.Steps.Select(step => step.Step).ShouldBe([6L]);
        _observed.Epochs.Select(epoch => epoch.Epoch).ShouldBe([2]);
    }

    [Fact]
    public void TheFirstEndCountsAndFinalEvaluationsBelongToCompletedRuns()
    {
        RunRecorder recorder = Recorder();
        recorder.On(new EvaluationCompleted(4, DataSplit.Test, 0.5, 0.9));
        recorder.On(new RunEnded(RunEnd.Diverged, 4, "the loss"));
        recorder.On(new RunEnded(RunEnd.Completed, 12, ""));
        RunOutcome outcome = recorder.Outcome(KeptParameters.None, []);
        (outcome.Status, outcome.Reason).ShouldBe((RunStatus.Diverged, "the loss"));
        (outcome.TestLoss, outcome.TestAccuracy, outcome.TrainAccuracy).ShouldBe((null, null, null));
        double.IsNaN(outcome.FinalLoss).ShouldBeTrue();
    }

    [Fact]
    public void AccuracyMeansNothingWithoutClasses()
    {
        RunRecorder recorder = new(Plan, targetsAreClasses: false, _observed, TimeProvider.System);
        recorder.On(new StepCommitted(1, 1, 1, 10, 0.1));
        recorder.On(new EpochCompleted(1, 4, 1, 0.5, 1, 0.5));
        recorder.On(new EvaluationCompleted(12, DataSplit.Train, 0.25, 0.9));
        recorder.On(new EvaluationCompleted(12, DataSplit.Test, 0.5, 0.9));
        recorder.On(new RunEnded(RunEnd.Completed, 12, ""));
        _observed.Steps[0].Accuracy.ShouldBe(double.NaN);
        _observed.Epochs[0].TestAccuracy.ShouldBeNull();
        RunOutcome outcome = recorder.Outcome(KeptParameters.None, []);
        (outcome.FinalLoss, outcome.TestLoss, outcome.TrainAccuracy, outcome.TestAccuracy).ShouldBe((0.25, 0.5, null, null));
    }

    [Fact]
    public void ShortStepsShareAReadingOfTheClockAndTheEndOfAnEpochHasItsOwn()
    {
        CountingTime time = new();
        RunPlan plan = new(Runs.Settings, 10_000, 12);
        RunRecorder recorder = new(plan, targetsAreClasses: true, new Deaf(), time);
        ReadingsOf(recorder, time, plan.StepsPerEpoch - 1, TimeSpan.FromMicroseconds(1)).ShouldBeLessThan(plan.StepsPerEpoch / 30);
        time.Advance(TimeSpan.FromMicroseconds(1));
        recorder.Committed(plan.StepsPerEpoch, 1, 1, 10, 0.1);
        TimeSpan trained = TimeSpan.FromMicroseconds(plan.StepsPerEpoch);

        // An evaluation is no training.
        time.Advance(TimeSpan.FromSeconds(1));
        recorder.On(new EvaluationCompleted(plan.StepsPerEpoch, DataSplit.Test, 1, 0.5));
        recorder.On(new EpochCompleted(1, plan.StepsPerEpoch, 1, 1, 1, 0.5));
        recorder.On(new RunEnded(RunEnd.Completed, plan.StepsPerEpoch, ""));
        RunOutcome outcome = recorder.Outcome(KeptParameters.None, []);
        outcome.SamplesPerSecond.ShouldBe(plan.StepsPerEpoch * 10 / trained.TotalSeconds, tolerance: 1);
        outcome.Wall.ShouldBe(trained + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void LongStepsAreReadOneByOne()
    {
        CountingTime time = new();
        RunRecorder recorder = new(new RunPlan(Runs.Settings, 10_000, 12), targetsAreClasses: true, new Deaf(), time);
        ReadingsOf(recorder, time, 100, TimeSpan.FromMilliseconds(5)).ShouldBe(100);
    }

    [Fact]
    public void WhatAStepTellsOfTheTimeIsReadWhenAsked()
    {
        CountingTime time = new();
        RunRecorder recorder = new(Plan, targetsAreClasses: true, _observed, time);
        time.Advance(TimeSpan.FromSeconds(2));
        recorder.Committed(1, 1, 1, 10, 0.1);
        _observed.Steps[0].Elapsed.ShouldBe(TimeSpan.FromSeconds(2));
        default(StepProgress).Elapsed.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void ARunThatHasNotEndedHasNoOutcome() => Should.Throw<InvalidOperationException>(() => Recorder().Outcome(KeptParameters.None, []));

    /// <summary>How often the clock is read for the first steps, each of which takes as long.</summary>
    private static int ReadingsOf(RunRecorder recorder, CountingTime time, int steps, TimeSpan each)
    {
        int before = time.Readings;
        for (int step = 1; step <= steps; step++)
        {
            time.Advance(each);
            recorder.Committed(step, 1, 1, 10, 0.1);
        }

        return time.Readings - before;
    }

    private sealed class CountingTime : TimeProvider
    {
        private long _ticks;

        public int Readings { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;

        public override long GetTimestamp()
        {
            Readings++;
            return _ticks;
        }
    }

    private sealed class Deaf : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }
    }

    private RunRecorder Recorder() => new(Plan, targetsAreClasses: true, _observed, TimeProvider.System);
}
