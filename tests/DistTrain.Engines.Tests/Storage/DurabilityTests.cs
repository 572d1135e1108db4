using DistTrain.Conformance.Support;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Storage;

public sealed class DurabilityTests
{
    // The weights of this method depend on what is in flight, so a crash may change bits, but loses nothing.
    private const string Asynchronous = "pipedream";
    private static readonly string[] Variants = ["momentum", "adam", "clip", "krum", "top-k", "delayed", "pipedream", "features-replay", "front", "collapsed"];

    public static TheoryData<string> AllVariants => [.. Variants];

    [Theory]
    [MemberData(nameof(AllVariants))]
    public void WhatOutlivesAStepComesBackFromTheLog(string variant)
    {
        // A crash in the middle of the last interval between snapshots: everything since is made again from contributions.
        RunRequest request = Variant(variant);
        SimulatedDisk whole = new();
        string expected = Bits.Of(CrashBoundaries.Run(request, whole, 0, new Observed()));
        foreach (int percent in (int[])[30, 55, 80])
        {
            SimulatedDisk disk = new() { CrashAt = whole.Boundaries * percent / 100 };
            Observed observed = new();
            Should.Throw<SimulatedCrashException>(() => CrashBoundaries.Run(request, disk, 0, observed));
            SimulatedDisk left = disk.AfterCrash(CrashKind.Process, 1);
            long from = Journal.LastCommittedStep(left, CrashBoundaries.Folder).ShouldNotBeNull();
            from.ShouldBeGreaterThanOrEqualTo(observed.Steps[^1].Step);
            Observed resumed = new();
            RunOutcome outcome = CrashBoundaries.Run(request, left, from, resumed);
            outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
            outcome.Steps.ShouldBe(15);
            resumed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, 15).Select(step => (long)step).Where(step => step > from));
            if (variant != Asynchronous)
            {
                Bits.Of(outcome).ShouldBe(expected, $"{variant}, {percent} %, from step {from}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(AllVariants))]
    public void TheLossOfAShardTakesNoCommittedStepBack(string variant)
    {
        RunRequest request = Variant(variant);
        string expected = Bits.Of(CrashBoundaries.Run(request, new SimulatedDisk(), 0, new Observed()));
        RunRequest faulty = request with { Faults = [new CrashFault(ShardOf(request), TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(8) }] };
        RunOutcome outcome = CrashBoundaries.Run(faulty, new SimulatedDisk(), 0, new Observed());
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        outcome.Restarts.ShouldBe(1);
        outcome.StepsRedone.ShouldBeLessThanOrEqualTo(request.Settings.StepsInFlight + request.Settings.Stages.Count);
        if (variant != Asynchronous)
        {
            Bits.Of(outcome).ShouldBe(expected);
        }
    }

    [Theory]
    [InlineData("step")]
    [InlineData("power")]
    public void EveryActorMayBeLostTheCoordinatorIncluded(string durability)
    {
        RunRequest request = CrashBoundaries.Request(Enum.Parse<Durability>(durability, ignoreCase: true), 3);
        string expected = Bits.Of(CrashBoundaries.Run(request, new SimulatedDisk(), 0, new Observed()));
        int actors = new Protocol.Planning.RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology.Count;
        for (int actor = 0; actor < actors; actor++)
        {
            // Within an epoch, at its end, and so near the run's end that only the last snapshot is left to take.
            foreach (long step in (long[])[3, 5, 11, 15])
            {
                CrashFault crash = new(new ActorId(actor), TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(step) };
                Observed observed = new();
                RunOutcome outcome = CrashBoundaries.Run(request with { Faults = [crash] }, new SimulatedDisk(), 0, observed);
                outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
                outcome.Restarts.ShouldBe(1);
                outcome.StepsRedone.ShouldBeLessThanOrEqualTo(request.Settings.StepsInFlight);
                observed.Epochs.Select(epoch => epoch.Epoch).ShouldBe([1, 2, 3]);
                observed.Steps.Select(progress => progress.Step).ShouldBe(Enumerable.Range(1, 15).Select(number => (long)number));
                Bits.Of(outcome).ShouldBe(expected, $"actor {actor}, step {step}");
            }
        }
    }

    [Fact]
    public void WithoutALogANewCoordinatorGoesOnFromTheLastSnapshot()
    {
        CrashFault crash = new(ActorId.Coordinator, TimeSpan.FromMilliseconds(1)) { At = FaultTime.AtStep(3) };
        RunRequest request = CrashBoundaries.Request(Durability.Memory, 1);
        RunOutcome calm = CrashBoundaries.Run(request, new SimulatedDisk(), 0, new Observed());
        RunOutcome outcome = CrashBoundaries.Run(request with { Faults = [crash] }, new SimulatedDisk(), 0, new Observed());
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        outcome.StepsRedone.ShouldBeGreaterThan(0);
        Bits.Of(outcome).ShouldBe(Bits.Of(calm));
    }

    [Theory]
    [InlineData("async")]
    [InlineData("ssp")]
    public void AsynchronousRunsGoOnFromTheLog(string consistency)
    {
        RunRequest request = CrashBoundaries.Request(Durability.Step, 3, settings => settings with
        {
            Replicas = 2,
            CheckpointEverySteps = 100,
            ParameterServer = new ParameterServerSettings { Shards = 2, Consistency = Enum.Parse<Consistency>(consistency, ignoreCase: true) },
        });
        SimulatedDisk whole = new();
        CrashBoundaries.Run(request, whole, 0, new Observed());
        for (long boundary = 20; boundary < whole.Boundaries; boundary += 37)
        {
            SimulatedDisk disk = new() { CrashAt = boundary };
            Observed observed = new();
            Should.Throw<SimulatedCrashException>(() => CrashBoundaries.Run(request, disk, 0, observed));
            SimulatedDisk left = disk.AfterCrash(CrashKind.Process, 1);
            long from = Journal.LastCommittedStep(left, CrashBoundaries.Folder) ?? 0;
            from.ShouldBeGreaterThanOrEqualTo(observed.Steps.Count > 0 ? observed.Steps[^1].Step : 0);
            CrashBoundaries.Run(request, left, from, new Observed()).Status.ShouldBe(RunStatus.Completed);
        }
    }

    [Theory]
    [InlineData("step")]
    [InlineData("power")]
    public void OnThreadsTheWeightsAreThoseOfMemoryAndNothingLeaks(string durability)
    {
        using TestFolder folder = new();
        RunRequest request = Runs.Of(settings => settings with { ParameterServer = new ParameterServerSettings { Shards = 3 }, CheckpointEverySteps = 5 });
        string expected = Bits.Of(new ThreadsEngine().Run(request, new Observed(), default));
        request = request with
        {
            Settings = request.Settings with { Durability = Enum.Parse<Durability>(durability, ignoreCase: true) },
            JournalFolder = folder.Journal,
        };
        ThreadsRun? current = null;
        Observed observed = new()
        {
            AtStep = step =>
            {
                CrashAt(step == 3, current!, new ActorId(1));
                CrashAt(step == 8, current!, ShardOf(request));
            },
        };
        ThreadsRun run = new(request, observed, TimeProvider.System);
        current = run;
        RunOutcome outcome = run.ToEnd(default);
        run.Dispose();
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        Bits.Of(outcome).ShouldBe(expected);
        outcome.Restarts.ShouldBe(2);
        outcome.StepsRedone.ShouldBeLessThanOrEqualTo(2 * (request.Settings.StepsInFlight + 1));
        observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range(1, 12).Select(step => (long)step));
        run.LiveBuffers.ShouldBe(0);
    }

    [Fact]
    public void WithoutAJournalFolderALogIsRefused()
    {
        RunRequest request = Runs.Of(settings => settings with { Durability = Durability.Step });
        Should.Throw<InvalidInputException>(() => new ThreadsEngine().Run(request, new Observed(), default)).Message.ShouldContain("durability: step");
    }

    [Fact]
    public void WithoutSnapshotsALogIsRefused() =>
        new ThreadsEngine().Refuses(Runs.Of(settings => settings with { Durability = Durability.Power, CheckpointEverySteps = 0 }))
            .ShouldNotBeNull().ShouldStartWith("checkpoint.every-steps: 0");

    [Fact]
    public void ALogOfOtherShardsIsRefusedAndTheSnapshotStaysUsable()
    {
        RunRequest request = CrashBoundaries.Request(Durability.Step, 1, settings => settings with { CheckpointEverySteps = 100 });
        SimulatedDisk disk = new() { CrashAt = 25 };
        Should.Throw<SimulatedCrashException>(() => CrashBoundaries.Run(request, disk, 0, new Observed()));
        SimulatedDisk left = disk.AfterCrash(CrashKind.Process, 1);
        long from = Journal.LastCommittedStep(left, CrashBoundaries.Folder).ShouldNotBeNull();
        RunRequest other = request with { Settings = request.Settings with { ParameterServer = new ParameterServerSettings() } };
        Should.Throw<InvalidInputException>(() => CrashBoundaries.Run(other, left, from, new Observed())).Message.ShouldContain("other stages, shards");
    }

    private static ActorId ShardOf(RunRequest request) =>
        new Protocol.Planning.RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows).Topology.Shard(0);

    private static void CrashAt(bool now, ThreadsRun run, ActorId actor)
    {
        if (now)
        {
            run.Crash(actor);
        }
    }

    private static RunRequest Variant(string name)
    {
        RunRequest request = CrashBoundaries.Request(Durability.Step, 3, settings => settings with { CheckpointEverySteps = 7 });
        RunSettings settings = request.Settings;
        return request with
        {
            Settings = name switch
            {
                "adam" => settings with { Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.01) },
                "clip" => settings with { Optimizer = settings.Optimizer with { ClipNorm = 0.1 } },
                "krum" => settings with { Replicas = 5, Training = settings.Training with { MicroBatches = 1 }, ParameterServer = settings.ParameterServer with { Aggregate = Aggregate.Krum } },
                "top-k" => settings with
                {
                    Replicas = 2, ParameterServer = settings.ParameterServer with { Compression = CompressionKind.TopK, TopKRatio = 0.3 },
                },
                "delayed" => settings with { Method = new MethodSettings("delayed-gradient") },
                "features-replay" => settings with { Method = new MethodSettings("features-replay") },
                "pipedream" => settings with { Method = new MethodSettings("pipedream"), Training = settings.Training with { MicroBatches = 1 } },
                "front" => settings with { Method = new MethodSettings("front-contribution") },
                "collapsed" => settings with { Method = new MethodSettings("front-contribution") { Collapse = Collapse.All } },
                _ => settings,
            },
        };
    }
}
