using DistTrain.Conformance.Support;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Tests.Support;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Threads;

/// <summary>A run that was stopped and resumed from its journal ends with the weights of one that was not.</summary>
public sealed class ResumeTests
{
    public static TheoryData<string> Variants => ["momentum", "adam", "plateau", "top-k", "cosine", "float64", "clip", "greedy", "delayed"];

    [Theory]
    [MemberData(nameof(Variants))]
    public void AResumedRunEndsWithTheSameWeights(string variant)
    {
        RunRequest request = Variant(variant);
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        foreach (long stopAt in (long[])[1, 6, 9])
        {
            using TestFolder folder = new();
            RunRequest kept = request with { JournalFolder = folder.Journal };
            RunOutcome stopped = StopAt(stopAt, kept);
            stopped.Status.ShouldBe(RunStatus.Stopped);
            stopped.Steps.ShouldBeInRange(stopAt, stopAt + 4);
            Journal.LastSnapshotStep(folder.Journal).ShouldBe(stopped.Steps);

            Observed observed = new();
            RunOutcome resumed = new ThreadsEngine().Run(kept with { ResumeFromStep = stopped.Steps }, observed, default);
            resumed.Status.ShouldBe(RunStatus.Completed, resumed.Reason);
            Bits.Of(resumed).ShouldBe(reference, $"stopped at {stopped.Steps}");
            int total = 4 * request.Settings.Training.Epochs;
            observed.Steps.Select(step => step.Step).ShouldBe(Enumerable.Range((int)stopped.Steps + 1, total - (int)stopped.Steps).Select(step => (long)step));
        }
    }

    [Fact]
    public void ARunMayBeStoppedAtAnyMomentAndResumedManyTimes()
    {
        RunRequest request = Variant("momentum");
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        for (ulong seed = 1; seed <= 6; seed++)
        {
            using TestFolder folder = new();
            Draw draw = new(seed);
            RunOutcome outcome;
            long from = 0;
            int rounds = 0;
            do
            {
                using CancellationTokenSource stop = new();
                int spins = draw.Below(200_000);
                Thread stopper = new(() =>
                {
                    Thread.SpinWait(spins);
                    stop.Cancel();
                });
                stopper.Start();
                CancellationToken token = rounds > 40 ? default : stop.Token;
                outcome = new ThreadsEngine().Run(request with { JournalFolder = folder.Journal, ResumeFromStep = from }, new Observed(), token);
                stopper.Join();
                outcome.Steps.ShouldBeGreaterThanOrEqualTo(from);
                from = outcome.Steps;
                rounds++;
            }
            while (outcome.Status == RunStatus.Stopped);

            outcome.Status.ShouldBe(RunStatus.Completed, $"seed {seed}: {outcome.Reason}");
            Bits.Of(outcome).ShouldBe(reference, $"seed {seed}");
        }
    }

    [Fact]
    public void OtherStagesAndShardsMayGoOn()
    {
        RunRequest request = Variant("adam");
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        using TestFolder folder = new();
        RunRequest kept = request with { JournalFolder = folder.Journal };
        long step = StopAt(5, kept).Steps;
        RunRequest other = kept with
        {
            ResumeFromStep = step,
            Settings = kept.Settings with { Stages = [2, 1], ParameterServer = kept.Settings.ParameterServer with { Shards = 4 } },
        };
        RunOutcome resumed = new ThreadsEngine().Run(other, new Observed(), default);
        Bits.Of(resumed).ShouldBe(reference);
    }

    [Fact]
    public void AFinishedRunMayBeResumedAndChangesNothing()
    {
        using TestFolder folder = new();
        RunRequest request = Runs.Of() with { JournalFolder = folder.Journal };
        RunOutcome finished = new ThreadsEngine().Run(request, new Observed(), default);
        Journal.LastSnapshotStep(folder.Journal).ShouldBe(12);

        RunOutcome again = new ThreadsEngine().Run(request with { ResumeFromStep = 12 }, new Observed(), default);
        again.Status.ShouldBe(RunStatus.Completed);
        Bits.Of(again).ShouldBe(Bits.Of(finished));
        (again.FinalLoss, again.TestLoss, again.TestAccuracy).ShouldBe((finished.FinalLoss, finished.TestLoss, finished.TestAccuracy));
        again.TestLoss.ShouldNotBeNull();
    }

    [Fact]
    public void ACrashAfterAResumeGoesBackToTheJournal()
    {
        using TestFolder folder = new();
        RunRequest request = Variant("momentum") with { JournalFolder = folder.Journal };
        string reference = Bits.Of(SequentialTrainer.Run(request, new Observed()));
        long step = StopAt(3, request).Steps;
        ThreadsRun? current = null;
        Observed observed = new() { AtStep = at => CrashAt(at == step + 2, current!) };
        using ThreadsRun run = new(request with { ResumeFromStep = step }, observed, TimeProvider.System);
        current = run;
        RunOutcome outcome = run.ToEnd(default);
        outcome.Status.ShouldBe(RunStatus.Completed, outcome.Reason);
        outcome.Restarts.ShouldBe(1);
        Bits.Of(outcome).ShouldBe(reference);
    }

    [Fact]
    public void EarlyStoppingIsTheSameAfterAResume()
    {
        RunRequest request = Runs.Of(settings => settings with
        {
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.9) { Momentum = 0.9 },
            Training = new TrainingSettings(40, 10, 2) { EarlyStoppingPatience = 2 },
        });
        RunOutcome expected = SequentialTrainer.Run(request, new Observed());
        expected.Steps.ShouldBeLessThan(160);
        using TestFolder folder = new();
        long step = StopAt(expected.Steps - 6, request with { JournalFolder = folder.Journal }).Steps;
        RunOutcome resumed = new ThreadsEngine().Run(
            request with { JournalFolder = folder.Journal, ResumeFromStep = step }, new Observed(), default);
        resumed.Steps.ShouldBe(expected.Steps);
        Bits.Of(resumed).ShouldBe(Bits.Of(expected));
    }

    [Fact]
    public void ARunThatEarlyStoppingEndedDoesNotTrainOn()
    {
        using TestFolder folder = new();
        RunRequest request = Runs.Of(settings => settings with
        {
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.9) { Momentum = 0.9 },
            Training = new TrainingSettings(40, 10, 2) { EarlyStoppingPatience = 2 },
        }) with { JournalFolder = folder.Journal };
        RunOutcome ended = new ThreadsEngine().Run(request, new Observed(), default);
        ended.Steps.ShouldBeLessThan(160);
        Observed observed = new();
        RunOutcome again = new ThreadsEngine().Run(request with { ResumeFromStep = ended.Steps }, observed, default);
        observed.Steps.ShouldBeEmpty();
        Bits.Of(again).ShouldBe(Bits.Of(ended));
    }

    private static RunOutcome StopAt(long step, RunRequest request)
    {
        using CancellationTokenSource stop = new();
        return new ThreadsEngine().Run(request, new Observed { AtStep = at => CancelAt(at == step, stop) }, stop.Token);
    }

    private static void CancelAt(bool now, CancellationTokenSource stop)
    {
        if (now)
        {
            stop.Cancel();
        }
    }

    private static void CrashAt(bool now, ThreadsRun run)
    {
        if (now)
        {
            run.Crash(new Protocol.Actors.ActorId(run.Cells.Count - 1));
        }
    }

    private static RunRequest Variant(string variant) => Runs.Of(settings =>
    {
        settings = settings with
        {
            Replicas = 2,
            CheckpointEverySteps = 5,
            ParameterServer = new ParameterServerSettings { Shards = 2 },
        };
        OptimizerSpec sgd = settings.Optimizer;
        return variant switch
        {
            "momentum" => settings,
            "adam" => settings with { Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.01) },
            "plateau" => settings with { Optimizer = sgd with { LearningRate = 1, Schedule = LearningRateSchedule.ReduceOnPlateau, PlateauPatience = 0 } },
            "top-k" => settings with { ParameterServer = new ParameterServerSettings { Shards = 2, Compression = CompressionKind.TopK, TopKRatio = 0.2 } },
            "cosine" => settings with { Optimizer = sgd with { Schedule = LearningRateSchedule.Cosine, WarmUpSteps = 4 } },
            "float64" => settings with { Precision = Precision.Float64 },
            // Methods whose slices are not updated in every step, with an optimizer that counts updates.
            "greedy" => settings with
            {
                Training = settings.Training with { Epochs = 6 },
                Method = new MethodSettings("greedy", "sequential"),
                Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.01),
            },
            "delayed" => settings with
            {
                Training = settings.Training with { Epochs = 6, MicroBatches = 1 },
                Method = new MethodSettings("delayed-gradient", "sequential"),
                Optimizer = OptimizerDefaults.For(OptimizerKind.Adam, 0.01),
            },
            _ => settings with { Optimizer = sgd with { ClipNorm = 0.1 } },
        };
    });
}
