using DistTrain.Conformance.Support;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Compression;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Threads;

/// <summary>Actors that die on the threads engine, between two steps and within one: the weights come out as if nothing had
/// happened.</summary>
public sealed class CrashTests
{
    private static readonly ParameterServerSettings TopK = new() { Shards = 2, Compression = CompressionKind.TopK, TopKRatio = 0.3 };
    private static readonly ParameterServerSettings Plain = new() { Shards = 2 };

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    [InlineData(true, 1)]
    public void EveryActorMayDieBetweenTwoSteps(bool topK, int threads)
    {
        // With one step in flight, nothing is under way when a step is reported.
        RunRequest request = Request(topK ? TopK : Plain, stepsInFlight: 1) with { ComputeThreads = threads };
        for (int actor = 1; actor < ActorsOf(request); actor++)
        {
            ShouldSurvive(request, (step, run) => CrashAt(step == 5, run, actor));
        }
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    [InlineData(true, 1)]
    public void EveryActorMayDieWithinAStep(bool topK, int threads)
    {
        // The next step is well under way when this one is reported.
        RunRequest request = Request(topK ? TopK : Plain, stepsInFlight: 3) with { ComputeThreads = threads };
        for (int actor = 1; actor < ActorsOf(request); actor++)
        {
            ShouldSurvive(request, (step, run) => CrashAt(step is 2 or 7, run, actor));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AllLayerActorsMayDieOneAfterTheOther(bool topK)
    {
        RunRequest request = Request(topK ? TopK : Plain, stepsInFlight: 2);
        RunOutcome outcome = ShouldSurvive(request, (step, run) => CrashAt(step <= 6, run, (int)step));
        outcome.Restarts.ShouldBe(6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ABackupTakesAStragglersPlaceAndChangesNoBit(bool backup)
    {
        RunRequest calm = Request(Plain, stepsInFlight: 2);
        RunRequest request = calm with
        {
            ComputeThreads = 4,
            Settings = calm.Settings with { BackupAfter = backup ? TimeSpan.FromMilliseconds(50) : null },
            Faults = [new SlowFault(new ActorId(2), backup ? 100_000 : 5_000, backup ? null : TimeSpan.FromMilliseconds(100)) { At = FaultTime.AtStep(3), UntilReplaced = backup }],
        };
        Observed observed = new();
        RunOutcome outcome = new ThreadsEngine().Run(request, observed, default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        observed.Faults.ShouldHaveSingleItem();

        // Whoever else the machine holds up for so long is taken for a straggler too.
        outcome.Restarts.ShouldBeInRange(backup ? 1 : 0, backup ? int.MaxValue : 0);
        Bits.Of(outcome).ShouldBe(Bits.Of(SequentialTrainer.Run(calm, new Observed())));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 2)]
    [InlineData(-1, 2)]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(-1, 1)]
    public void APausedActorGoesOnWithWhatItHadAndChangesNoBit(int index, int threads)
    {
        RunRequest calm = Request(Plain, stepsInFlight: 2) with { ComputeThreads = threads };
        ActorId actor = new(index < 0 ? ActorsOf(calm) + index : index);
        TimeSpan first = TimeSpan.FromMilliseconds(100), second = TimeSpan.FromMilliseconds(400);

        // The second begins within the first, which must not end it.
        RunRequest request = calm with
        {
            Faults = [new PauseFault(actor, first) { At = FaultTime.AtStep(3) }, new PauseFault(actor, second) { At = FaultTime.AtStep(3) }],
        };
        Observed observed = new();
        RunOutcome outcome = new ThreadsEngine().Run(request, observed, default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        observed.Faults.Count.ShouldBe(2);
        outcome.Restarts.ShouldBe(0);
        outcome.Wall.ShouldBeGreaterThanOrEqualTo(second - TimeSpan.FromMilliseconds(50));
        Bits.Of(outcome).ShouldBe(Bits.Of(SequentialTrainer.Run(calm, new Observed())));
    }

    [Fact]
    public void WhoeverTakesAPausedActorsPlaceIsAwake()
    {
        RunRequest calm = Request(Plain, stepsInFlight: 2);
        RunRequest request = calm with
        {
            Faults = [new PauseFault(new ActorId(2), TimeSpan.FromDays(1)) { At = FaultTime.AtStep(3) }, new CrashFault(new ActorId(2), TimeSpan.Zero) { At = FaultTime.AtStep(3) }],
        };
        RunOutcome outcome = new ThreadsEngine().Run(request, new Observed(), default);
        (outcome.Status, outcome.Restarts).ShouldBe((RunStatus.Completed, 1));
        Bits.Of(outcome).ShouldBe(Bits.Of(SequentialTrainer.Run(calm, new Observed())));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void ActorsMayDieAtAnyMoment(int threads)
    {
        RunRequest request = Request(Plain, stepsInFlight: 2) with { ComputeThreads = threads };
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        for (ulong seed = 1; seed <= 30; seed++)
        {
            Draw draw = new(seed);
            ThreadsRun? current = null;
            using ManualResetEventSlim started = new();
            Observed observed = new() { AtStep = _ => started.Set() };
            using ThreadsRun run = new(request, observed, TimeProvider.System);
            current = run;
            Thread killer = new(() =>
            {
                started.Wait();
                for (int crash = 0; crash < 3; crash++)
                {
                    Thread.SpinWait(draw.Below(20_000));
                    current.Crash(new ActorId(draw.From(1, ActorsOf(request) - 1)));
                }
            });
            killer.Start();
            RunOutcome outcome = run.ToEnd(default);
            killer.Join();
            outcome.Status.ShouldBe(RunStatus.Completed, $"seed {seed}: {outcome.Reason}");
            Bits.Of(outcome).ShouldBe(reference, $"seed {seed}");
        }
    }

    [Fact]
    public void TheLossOfAShardGoesBackToTheLastSnapshotAndIsCounted()
    {
        RunRequest request = Request(Plain, stepsInFlight: 1, checkpointEvery: 3);
        int shard = ActorsOf(request) - 1;
        RunOutcome outcome = ShouldSurvive(request, (step, run) => CrashAt(step == 8, run, shard));
        outcome.Restarts.ShouldBe(1);

        // At least steps 7 and 8 are gone. The snapshot after step 6 may not have been complete yet, nor the one after step 3, and step 9 may have been issued.
        outcome.StepsRedone.ShouldBeInRange(2, 9);
    }

    [Fact]
    public void TheLossOfALayerActorRedoesNoCommittedStep()
    {
        RunRequest request = Request(Plain, stepsInFlight: 2);
        Observed observed = new();
        RunOutcome outcome = ShouldSurvive(request, (step, run) => CrashAt(step == 5, run, 1), observed);
        outcome.StepsRedone.ShouldBeLessThanOrEqualTo(2);
        observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, 12).Select(step => (long)step));
    }

    [Fact]
    public void AStepIsReportedOnceThoughItWasRedone()
    {
        RunRequest request = Request(Plain, stepsInFlight: 2);
        Observed observed = new();
        ShouldSurvive(request, (step, run) => CrashAt(step is 3 or 9, run, ActorsOf(request) - 2), observed);
        observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, 12).Select(step => (long)step));
        observed.Epochs.Select(epoch => epoch.Epoch).ShouldBe([1, 2, 3]);
        observed.Notices.ShouldContain(notice => notice.StartsWith("recovered", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheCoordinatorMayDieAtAnyStepAndIsReplaced(int copies)
    {
        RunRequest request = Request(Plain with { Copies = copies }, stepsInFlight: 2, checkpointEvery: 4);
        for (int at = 1; at < 12; at++)
        {
            RunOutcome outcome = ShouldSurvive(request, (step, run) => CrashAt(step == at, run, 0));
            outcome.Restarts.ShouldBe(1);

            // With one copy the run goes back to a snapshot, and the last one may not have been complete yet.
            outcome.StepsRedone.ShouldBeLessThanOrEqualTo(copies == 1 ? at + 2 : 2, $"step {at}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheLossOfACopyOfAShardTakesNothingBack(bool topK)
    {
        RunRequest request = Request((topK ? TopK : Plain) with { Copies = 2 }, stepsInFlight: 2);
        int actors = ActorsOf(request);
        for (int copy = actors - 4; copy < actors; copy++)
        {
            RunOutcome outcome = ShouldSurvive(request, (step, run) => CrashAt(step is 4 or 9, run, copy));

            // Within a step of the loss and of the return of the copy each, what was under way is done again.
            outcome.StepsRedone.ShouldBeLessThanOrEqualTo(4);
        }
    }

    [Fact]
    public void ACoordinatorAndACopyOfAShardMayDieTogether()
    {
        RunRequest request = Request(Plain with { Copies = 2 }, stepsInFlight: 2);
        int actors = ActorsOf(request);
        for (int copy = actors - 4; copy < actors; copy++)
        {
            RunOutcome outcome = ShouldSurvive(request, (step, run) =>
            {
                CrashAt(step == 5, run, copy);
                CrashAt(step == 5, run, 0);
            });
            outcome.StepsRedone.ShouldBeLessThanOrEqualTo(4);
        }
    }

    private static void CrashAt(bool now, ThreadsRun run, int actor)
    {
        if (now)
        {
            run.Crash(new ActorId(actor));
        }
    }

    private static RunOutcome ShouldSurvive(RunRequest request, Action<long, ThreadsRun> atStep, Observed? heard = null)
    {
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        ThreadsRun? current = null;
        HashSet<long> seen = [];
        Observed observed = new()
        {
            AtStep = step =>
            {
                // Once per step: a step that is redone is not reported again.
                seen.Add(step).ShouldBeTrue();
                atStep(step, current!);
            },
        };
        RunOutcome outcome;
        using (ThreadsRun run = new(request, observed, TimeProvider.System))
        {
            current = run;
            outcome = run.ToEnd(default);
        }

        current.LiveBuffers.ShouldBe(0);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Bits.Of(outcome).ShouldBe(reference);
        outcome.Restarts.ShouldBeGreaterThan(0);
        heard?.Steps.AddRange(observed.Steps);
        heard?.Epochs.AddRange(observed.Epochs);
        heard?.Notices.AddRange(observed.Notices);
        return outcome;
    }

    private static int ActorsOf(RunRequest request) =>
        new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology.Count;

    private static RunRequest Request(ParameterServerSettings server, int stepsInFlight, int checkpointEvery = 0) => Runs.Of(settings => settings with
    {
        Replicas = 2,
        ParameterServer = server,
        StepsInFlight = stepsInFlight,
        CheckpointEverySteps = checkpointEvery,
    });
}
