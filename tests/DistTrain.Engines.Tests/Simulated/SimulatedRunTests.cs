using DistTrain.Conformance.Support;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

public sealed class SimulatedRunTests
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void AStepOfDeclaredPassesTakesTheirSum()
    {
        // Two stages, one micro-batch: forward, forward, backward, backward; two steps, then a pass of evaluation over each stage.
        SimulationSettings simulation = Timing.Free with { Costs = new DeclaredCosts(Millisecond, 3 * Millisecond) };
        RunOutcome outcome = Run(Timing.Pipeline(stages: 2, microBatches: 1, "fill-drain", simulation));
        outcome.Virtual.ShouldBe((2 * 8 * Millisecond) + (2 * Millisecond));
        double.IsNaN(outcome.FinalLoss).ShouldBeTrue();
        outcome.Parameters.ShouldBeEmpty();
    }

    [Fact]
    public void MessagesAndLatencyAddTheirTime()
    {
        TimeSpan latency = TimeSpan.FromMicroseconds(100), overhead = TimeSpan.FromMicroseconds(10);
        KeptTrace trace = new();
        RunRequest request = Timing.Pipeline(2, 1, "fill-drain", Timing.Free with { Latency = latency, MessageOverhead = overhead }) with { Trace = trace };
        Run(request).Status.ShouldBe(RunStatus.Completed);
        TraceMessage activation = trace.Messages.First(message => message.Type == "activation");
        TraceSpan forward = trace.Spans.First(span => span.Kind == JobKind.Forward), next = trace.Spans.Where(span => span.Kind == JobKind.Forward).ElementAt(1);
        (activation.SentNanoseconds - forward.EndNanoseconds).ShouldBe(10_000);
        (activation.ReceivedNanoseconds - activation.SentNanoseconds).ShouldBe(110_000);
        next.StartNanoseconds.ShouldBeGreaterThanOrEqualTo(activation.ReceivedNanoseconds);
    }

    [Fact]
    public void TimeWithoutArithmeticIsTimeWithArithmetic()
    {
        foreach (string method in (string[])["backprop", "pipedream"])
        {
            foreach (int seed in (int[])[1, 2])
            {
                RunRequest request = Runs.Of(settings => settings with
                {
                    Seed = (ulong)seed,
                    Method = new MethodSettings(method),
                    Training = settings.Training with { MicroBatches = method == "pipedream" ? 1 : 2 },
                    ParameterServer = new ParameterServerSettings { Shards = 2 },
                }) with { Simulation = new SimulationSettings { Jitter = Millisecond, Drop = 0.02 } };
                RunOutcome whole = Run(request), timed = Run(request with { Simulation = request.Simulation with { TimingOnly = true } });
                timed.Virtual.ShouldBe(whole.Virtual);
                timed.MessagesByType.ShouldBe(whole.MessagesByType);
                timed.BytesSent.ShouldBe(whole.BytesSent);
            }
        }
    }

    [Fact]
    public void AStragglerMakesItsOwnPassesSlow()
    {
        KeptTrace trace = new();
        SlowFault slow = new(new ActorId(2), 10, TimeSpan.FromMilliseconds(15)) { At = FaultTime.AtStep(2) };
        Run(Timing.Pipeline(3, 1, "fill-drain", Timing.Free, steps: 4) with { Faults = [slow], Trace = trace });
        TraceSpan[] passes = [.. trace.Spans.Where(span => span.Kind == JobKind.Forward && span.Step > 0)];
        passes.Where(span => span.EndNanoseconds - span.StartNanoseconds == 10_000_000).ShouldAllBe(span => span.Actor.Index == 2);
        passes.Count(span => span.EndNanoseconds - span.StartNanoseconds == 10_000_000).ShouldBeInRange(1, 2);
        passes.Count(span => span.EndNanoseconds - span.StartNanoseconds == 1_000_000).ShouldBe(passes.Length - passes.Count(span => span.EndNanoseconds - span.StartNanoseconds > 1_000_000));
    }

    [Fact]
    public void ABackupTakesAStragglersPlaceAndChangesNoBit()
    {
        RunRequest request = Runs.Of(settings => settings with { Replicas = 2 }), calm = request;
        request = request with { Faults = [new SlowFault(new ActorId(4), 10_000, null) { At = FaultTime.AtStep(4), UntilReplaced = true }] };
        RunOutcome alone = Run(request), backed = Run(request with { Settings = request.Settings with { BackupAfter = Millisecond } });
        (alone.Restarts, backed.Restarts).ShouldBe((0, 1));
        backed.StepsRedone.ShouldBeInRange(1, request.Settings.StepsInFlight);
        alone.Virtual!.Value.ShouldBeGreaterThan(5 * backed.Virtual!.Value);
        Bits.Of(alone).ShouldBe(Bits.Of(Run(calm)));
        Bits.Of(backed).ShouldBe(Bits.Of(Run(calm)));
    }

    [Fact]
    public void WhoeverIsSlowWhereverItLivesIsLeftAloneInTheEnd()
    {
        SlowFault slow = new(new ActorId(2), 10_000, null) { At = FaultTime.AtStep(2) };
        RunRequest request = Runs.Of(settings => settings with { BackupAfter = Millisecond }) with { Faults = [slow] };
        RunOutcome outcome = Run(request);
        outcome.Restarts.ShouldBe(Limits.BackupsPerActorMax);
        Bits.Of(outcome).ShouldBe(Bits.Of(Run(Runs.Of())));
    }

    [Fact]
    public void ActorsOfOneNodeShareItsSlots()
    {
        // Fill-drain with four micro-batches keeps two stages busy at once; one slot for both makes them take turns.
        RunRequest Placed(int nodes, int slots) => Timing.Pipeline(2, 4, "fill-drain", Timing.Free with { Nodes = nodes, SlotsPerNode = slots });
        TimeSpan apart = Run(Placed(0, 1)).Virtual!.Value, together = Run(Placed(1, 1)).Virtual!.Value, wide = Run(Placed(1, 2)).Virtual!.Value;
        apart.ShouldBe((2 * 5 * 2 * Millisecond) + (2 * Millisecond));
        together.ShouldBe((2 * 4 * 2 * 2 * Millisecond) + (2 * Millisecond));
        wide.ShouldBe(apart);
    }

    [Fact]
    public void ACrashIsNoticedAndTheRunGoesOnWhenTheActorIsBack()
    {
        CrashFault crash = new(new ActorId(1), TimeSpan.FromSeconds(3)) { At = FaultTime.AtStep(5) };
        RunRequest request = Runs.Of() with { Faults = [crash] };
        RunOutcome calm = Run(Runs.Of()), outcome = Run(request);
        outcome.Restarts.ShouldBe(1);
        outcome.StepsRedone.ShouldBeGreaterThan(0);
        outcome.Virtual!.Value.ShouldBeGreaterThan(TimeSpan.FromSeconds(3));
        Bits.Of(outcome).ShouldBe(Bits.Of(calm));
    }

    [Fact]
    public void WhoNeverComesBackEndsTheRunAfterPatience()
    {
        RunRequest request = Runs.Of(settings => settings with { Patience = TimeSpan.FromSeconds(30) }) with
        {
            Faults = [new CrashFault(new ActorId(2), null) { At = FaultTime.AtStep(3) }],
        };
        RunOutcome outcome = Run(request);
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain("layer-1");
        outcome.Virtual!.Value.ShouldBeInRange(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void TheLossOfTheCoordinatorForGoodEndsTheRun()
    {
        RunOutcome outcome = Run(Runs.Of() with { Faults = [new CrashFault(ActorId.Coordinator, null) { At = FaultTime.AtStep(2) }] });
        outcome.Status.ShouldBe(RunStatus.Failed);
        outcome.Reason.ShouldContain("coordinator");
    }

    [Fact]
    public void ANewCoordinatorGoesOnFromTheLastSnapshotToTheSameBits()
    {
        RunRequest request = Runs.Of(settings => settings with { CheckpointEverySteps = 4 });
        RunOutcome outcome = Run(request with { Faults = [new CrashFault(ActorId.Coordinator, Millisecond) { At = FaultTime.AtStep(8) }] });
        outcome.Status.ShouldBe(RunStatus.Completed);
        outcome.Restarts.ShouldBe(1);
        outcome.StepsRedone.ShouldBe(4, "steps 5 to 8 were issued before");
        Bits.Of(outcome).ShouldBe(Bits.Of(Run(request)));
    }

    [Fact]
    public void AStopThatReachesNobodyIsKeptForTheNextCoordinator()
    {
        using CancellationTokenSource stop = new();
        Observed observed = new() { AtStep = step => (step == 1 ? stop : null)?.Cancel() };
        RunRequest request = Runs.Of() with { Faults = [new CrashFault(ActorId.Coordinator, Millisecond) { At = FaultTime.AtStep(3) }] };
        RunOutcome outcome = new SimulatedEngine().Run(request, observed, stop.Token);
        outcome.Status.ShouldBe(RunStatus.Stopped);
        outcome.Restarts.ShouldBe(1);
    }

    [Fact]
    public void AStopIsAskedForAndTheRunGoesOnFromThereToTheSameBits()
    {
        using TestFolder folder = new();
        using CancellationTokenSource stop = new();
        RunRequest request = Runs.Of() with { JournalFolder = folder.Journal };
        Observed observed = new()
        {
            AtStep = step =>
            {
                if (step == 5)
                {
                    stop.Cancel();
                }
            },
        };
        RunOutcome stopped = new SimulatedEngine().Run(request, observed, stop.Token);
        stopped.Status.ShouldBe(RunStatus.Stopped);
        stopped.Steps.ShouldBeLessThan(12);
        RunOutcome resumed = Run(request with { ResumeFromStep = stopped.Steps });
        Bits.Of(resumed).ShouldBe(Bits.Of(Run(Runs.Of())));
        Directory.EnumerateFiles(folder.Journal, "events-from-*.log").Count().ShouldBe(2);
    }

    [Fact]
    public void TheJournalHoldsEveryEventAndIsTheSameEveryTime()
    {
        byte[] Journal()
        {
            using TestFolder folder = new();
            RunRequest request = Runs.Of() with
            {
                JournalFolder = folder.Journal,
                Simulation = new SimulationSettings { Drop = 0.05, Duplicate = 0.05, Reorder = 0.1, Jitter = Millisecond },
                Faults = [new CrashFault(new ActorId(4), Millisecond) { At = FaultTime.AtStep(3) }],
            };
            Run(request).Status.ShouldBe(RunStatus.Completed);
            return File.ReadAllBytes(Path.Combine(folder.Journal, "events-from-000000000.log"));
        }

        byte[] journal = Journal();
        Journal().ShouldBe(journal);
        string text = System.Text.Encoding.UTF8.GetString(journal);
        foreach (string word in (string[])["send activation", "receive activation", "lose ", "job Forward step=1", "persisted committed step=1", "crash", "suspected", "timer", "hash="])
        {
            text.ShouldContain(word);
        }
    }

    [Theory]
    [InlineData("threads")]
    [InlineData("simulated")]
    public void ATraceHearsEveryPassWithStepMicroBatchAndWeights(string engine)
    {
        KeptTrace trace = new();
        RunRequest request = Runs.Of() with { Trace = trace };
        RunOutcome outcome = engine == "threads" ? new ThreadsEngine().Run(request, new Observed(), default) : Run(request);

        TraceSpan[] forward = [.. trace.Spans.Where(span => span.Kind == JobKind.Forward && span.Step > 0)];
        forward.Length.ShouldBe(12 * 2 * 3);
        forward.Select(span => (span.Actor, span.Step, span.MicroBatch)).Distinct().Count().ShouldBe(forward.Length);
        forward.ShouldAllBe(span => span.WeightVersion == span.Step - 1 && span.EndNanoseconds >= span.StartNanoseconds && span.MicroBatch >= 0 && span.MicroBatch < 2);
        trace.Spans.Count(span => span.Kind == JobKind.Backward).ShouldBe(forward.Length);
        trace.Spans.Where(span => span.Kind == JobKind.Update).ShouldAllBe(span => span.WeightVersion == span.Step - 1);
        trace.Messages.Count(message => message.Type == "activation").ShouldBe(12 * 2 * 2);
        trace.Messages.ShouldAllBe(message => message.ReceivedNanoseconds >= message.SentNanoseconds);
        trace.Messages.Where(message => message.Type != "acknowledge").Sum(message => message.Bytes).ShouldBe(outcome.BytesSent);
    }

    [Fact]
    public void WhatCannotBeSimulatedIsRefusedByItsKey()
    {
        SimulatedEngine engine = new();
        RunRequest timed = Runs.Of(settings => settings with { Training = settings.Training with { EarlyStoppingPatience = 1 } }) with
        {
            Simulation = new SimulationSettings { TimingOnly = true },
        };
        engine.Refuses(timed)!.ShouldStartWith("simulation.timing-only: ");
        engine.Refuses(Runs.Of() with { Faults = [new CrashFault(new ActorId(5), null)] })!.ShouldContain("faults[0]: there is no actor 5; expected 0 to 4");
        engine.Refuses(Runs.Of() with { Faults = [new SlowFault(new ActorId(1), 0, null)] })!.ShouldContain("factor 0");
        engine.Refuses(Runs.Of() with { Faults = [new PartitionFault([[new ActorId(1)], [new ActorId(1)]], Millisecond)] })!.ShouldContain("two groups");
        engine.Refuses(Runs.Of() with { Faults = [new LinkFault(null, null) { Drop = 1.5 }] })!.ShouldContain("drop");
        new ThreadsEngine().Refuses(Runs.Of() with { Faults = [new LinkFault(null, null)] })!.ShouldContain("faults[0]: engine threads does not serve 'link' faults");
    }

    private static RunOutcome Run(RunRequest request)
    {
        SimulatedEngine engine = new();
        engine.Refuses(request).ShouldBeNull();
        return engine.Run(request, new Observed(), default);
    }
}
