using DistTrain.Data;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

/// <summary>The first stage loads the next step's rows (L) while it waits between its forward (F) and backward pass (B).</summary>
public sealed class LoadAheadTests
{
    [Fact]
    public void RowsAreLoadedWhileASignalIsAwaitedButNotOverTheEndOfAnEpoch() =>
        JobsOfTheFirstStage(Request(stages: 2, microBatches: 1)).ShouldBe(
            "L1 F1 L2 B1 " +
            "F2 L3 B2 " +
            "F3 B3 " +
            "L4 F4 L5 B4 " +
            "F5 L6 B5 " +
            "F6 B6");

    [Fact]
    public void AStageThatWaitsForNobodyLoadsInTurn() =>
        JobsOfTheFirstStage(Request(stages: 1, microBatches: 1)).ShouldBe(
            string.Join(' ', Enumerable.Range(1, 6).Select(step => $"L{step} L{step} F{step} B{step}")), "targets, and inputs");

    [Fact]
    public void TheLastStageLoadsTargetsWhileItsActivationIsAwaited() =>
        JobsOf(2, Request(stages: 2, microBatches: 1)).ShouldBe(string.Join(' ', Enumerable.Range(1, 6).Select(step => $"L{step} F{step} B{step}")));

    [Fact]
    public void WithSeveralMicroBatchesTheOthersComeFirst() =>
        JobsOfTheFirstStage(Request(stages: 2, microBatches: 2)).ShouldStartWith("L1 F1 L1 F1 B1 B1 L2 F2 L2 F2 B2 B2");

    [Fact]
    public void WhatWasLoadedForAnActorThatDiesIsLoadedAgain()
    {
        RunRequest request = Request(stages: 2, microBatches: 1) with
        {
            Faults = [new CrashFault(new ActorId(1), TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(3) }],
        };
        string jobs = JobsOfTheFirstStage(request);
        jobs.ShouldEndWith("F6 B6");
        jobs.Split(' ').Count(job => job[0] == 'L').ShouldBeGreaterThan(6);
    }

    private static string JobsOfTheFirstStage(RunRequest request) => JobsOf(1, request);

    private static string JobsOf(int actor, RunRequest request)
    {
        KeptTrace trace = new();
        new SimulatedEngine().Run(request with { Trace = trace }, new Conformance.Support.Observed(), default).Status.ShouldBe(RunStatus.Completed);
        return string.Join(' ', trace.Spans.Where(span => span.Actor == new ActorId(actor) && span.Step > 0).Select(Letter).Where(job => job.Length > 0));
    }

    private static string Letter(TraceSpan span) => span.Kind switch
    {
        JobKind.Load => $"L{span.Step}",
        JobKind.Forward => $"F{span.Step}",
        JobKind.Backward => $"B{span.Step}",
        _ => "",
    };

    /// <summary>Two epochs of three steps.</summary>
    private static RunRequest Request(int stages, int microBatches)
    {
        int rows = 3 * microBatches;
        RunRequest request = Timing.Pipeline(stages, microBatches, "fill-drain", Timing.Free);
        return request with
        {
            Data = RunData.From(new TrainTest<float>(DataSet<float>.FromLabels("zeros", 2, new float[2 * rows], new int[rows], 2), null)),
            Settings = request.Settings with { Training = new TrainingSettings(2, microBatches, microBatches) { EvaluateEvery = 2 } },
        };
    }
}
