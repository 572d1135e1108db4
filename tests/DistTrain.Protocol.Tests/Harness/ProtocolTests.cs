using DistTrain.Numerics.Compression;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Harness;

public sealed class ProtocolTests
{
    private static readonly string[] Schedules = ["sequential", "fill-drain", "1f1b"];

    private static Faults Hard => new()
    {
        Loss = 0.05, Duplication = 0.1, LatencyMax = 40, LayerCrash = 0.001, ShardCrash = 0.0005, FalseSuspicion = 0.0005,
    };

    [Fact]
    public void WithoutFaultsEveryShapeGivesWhatALoopGives()
    {
        foreach (string schedule in Schedules)
        {
            for (int shape = 0; shape < 4 * 3 * 3 * 4; shape++)
            {
                Scenario scenario = Shape(shape) with { Schedule = schedule, Epochs = 1 };
                Run(scenario, Faults.None, (ulong)shape);
            }
        }
    }

    [Fact]
    public void UnderLossCrashesAndSuspicionEveryShapeGivesWhatALoopGives()
    {
        for (int shape = 0; shape < 4 * 3 * 3 * 4; shape++)
        {
            Scenario scenario = Shape(shape) with
            {
                Schedule = Schedules[shape % 3], Clips = shape % 2 == 1, Compression = shape % 5 < 2 ? CompressionKind.TopK : CompressionKind.None,
            };
            Run(scenario, Hard, (ulong)shape);
        }
    }

    [Theory]
    [InlineData(Consistency.Ssp, 0)]
    [InlineData(Consistency.Ssp, 1)]
    [InlineData(Consistency.Ssp, 3)]
    [InlineData(Consistency.Async, 0)]
    public void AsynchronousServersApplyEveryContributionOnceWithinTheBound(Consistency consistency, int staleness)
    {
        for (int shape = 0; shape < 4 * 3 * 3 * 4; shape += 2)
        {
            Scenario scenario = Shape(shape) with
            {
                Consistency = consistency, Staleness = staleness, Compression = shape % 5 < 2 ? CompressionKind.TopK : CompressionKind.None, TrainRows = 80,
            };
            Run(scenario, shape % 4 == 0 ? Hard : Faults.None, (ulong)shape);
        }
    }

    [Fact]
    public void PipeDreamAppliesEveryStepOnce()
    {
        for (int shape = 0; shape < 4 * 3 * 12; shape++)
        {
            Scenario scenario = new()
            {
                Method = "pipedream", MicroBatches = 1, Stages = 1 + (shape % 4), Shards = 1 + (shape / 4 % 3), TrainRows = 20 + (7 * (shape / 12)),
            };
            Run(scenario, shape % 2 == 0 ? Hard : Faults.None, (ulong)shape);
        }
    }

    [Fact]
    public void AStopAtAnyMomentEndsAtACommittedStep()
    {
        for (int seed = 0; seed < 150; seed++)
        {
            Scenario scenario = Shape(seed % 144) with { Clips = seed % 3 == 0 };
            Run(scenario, (seed % 2 == 0 ? Hard : Faults.None) with { StopAfterEvents = seed * seed / 4 }, (ulong)seed);
        }
    }

    [Fact]
    public void AStageWithoutParametersTakesPart()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Scenario scenario = Shape(seed % 144) with { Stages = 2 + (seed % 3), StartsWithDropout = true };
            Run(scenario, seed % 2 == 0 ? Hard : Faults.None, (ulong)seed);
        }
    }

    [Fact]
    public void ACutAcknowledgementPathStopsTheIssueOfStepsAndBreaksNothing()
    {
        // The middle stage answers the coordinator, and the first stage, with bare acknowledgements only.
        Scenario scenario = new() { Stages = 3, Epochs = 40, TestRows = 0, MicroBatches = 1, TrainRows = 60_000 / 4, BatchSize = 1000, CheckpointEvery = 0 };
        foreach ((int from, int to) in new[] { (2, 0), (2, 1) })
        {
            FakeHost host = scenario.Check(Faults.None with { Cut = (from, to, 60_000), CutsAcknowledgementsOnly = true }, 1);
            host.Reports.OfType<StepCommitted>().Count().ShouldBe(600);
        }
    }

    [Fact]
    public void ACompletedRunThatLosesAShardWhileItEndsIsCompletedAgain()
    {
        Scenario scenario = new() { CheckpointEvery = 0 };
        RunPlan plan = scenario.Plan();
        FakeHost host = new(plan, Faults.None, 1);
        bool crashed = false;
        host.OnEvent = () =>
        {
            if (!crashed && host.Reports.OfType<EvaluationCompleted>().Any(report => report.Split == DataSplit.Train))
            {
                crashed = true;
                host.Crash(plan.Topology.Shard(0).Index);
            }
        };
        host.RunToEnd().End.ShouldBe(new RunEnded(RunEnd.Completed, plan.TotalSteps, ""));
        crashed.ShouldBeTrue();
        host.Reports.OfType<Recovered>().ShouldHaveSingleItem().Step.ShouldBe(0);
        host.Reports.OfType<StepCommitted>().Count().ShouldBe((int)plan.TotalSteps * 2);
    }

    [Fact]
    public void ACoordinatorOfAnyIncarnationGoesOnFromASnapshot()
    {
        Scenario scenario = new() { Stages = 3, Replicas = 2, Compression = CompressionKind.TopK };
        RunPlan plan = scenario.Plan();
        FakeHost first = new(plan, Faults.None with { StopAfterEvents = 300 }, 1);
        long stopped = first.RunToEnd().End!.Step;
        stopped.ShouldBeInRange(1, plan.TotalSteps - 1);
        FakeHost second = new(plan, Hard, 2, first.Jobs);
        CoordinatorProgress progress = first.Records.OfType<SnapshotRecord>().Last().Progress;
        progress.Step.ShouldBe(stopped);
        second.RunToEnd(coordinatorIncarnation: 2, progress);
        Scenario.CheckAgainstLoop(plan, second, second.End!.Step);
        second.End.ShouldBe(new RunEnded(RunEnd.Completed, plan.TotalSteps, ""));
    }

    [Fact]
    public void ALossThatIsNotANumberEndsTheRunAtTheStepBefore()
    {
        for (int seed = 0; seed < 120; seed++)
        {
            RunPlan plan = (Shape(seed) with { StepsInFlight = 1 + (seed % 3), Clips = seed % 2 == 0 }).Plan();
            int step = 1 + (seed % (int)plan.TotalSteps);
            FakeHost host = new(plan, seed % 2 == 0 ? Hard : Faults.None, (ulong)seed, divergingStep: step);
            RunEnded end = host.RunToEnd().End!;
            (end.End, end.Step).ShouldBe((RunEnd.Diverged, step - 1), $"seed {seed}");
            end.Reason.ShouldStartWith($"the loss of step {step} is not finite; layer 0 (dense) was the first with values that are not finite.");
            host.Reports.OfType<StepCommitted>().ShouldAllBe(report => report.Step < step);
            Scenario.CheckAgainstLoop(plan, host, step - 1);
        }
    }

    [Fact]
    public void AStopBeforeTheFirstStepKeepsTheFirstState()
    {
        for (int events = 1; events < 40; events++)
        {
            FakeHost host = new Scenario { Shards = 2 }.Check(Faults.None with { StopAfterEvents = events }, 3);
            host.End!.End.ShouldBe(RunEnd.Stopped);
        }
    }

    [Fact]
    public void AnEpochThatBeginsWhileAnyJobRunsGivesEveryBufferBackOnce()
    {
        RunPlan plan = new Scenario { MicroBatches = 3 }.Plan();
        for (int moment = 0; moment < 200; moment++)
        {
            FakeHost host = new(plan, Faults.None with { JobMax = 30 }, 4);
            int left = moment;
            host.OnEvent = () =>
            {
                if (left-- == 0)
                {
                    host.Suspect(plan.Topology.LayerActor(0, 1).Index);
                }
            };
            host.RunToEnd().End!.Step.ShouldBe(plan.TotalSteps);
            host.Reports.OfType<Recovered>().Count().ShouldBe(1, $"moment {moment}");
        }
    }

    [Fact]
    public void AnActorWithoutPeersSaysWhoWaitsForWhat()
    {
        RunPlan plan = new Scenario().Plan();
        FakeHost host = new(plan, Faults.None with { Cut = (1, 2, long.MaxValue) }, 5);
        host.RunToEnd().End!.Reason.ShouldBe("layer-0 waited 00:10:00 for layer-1 to take 'activation'");
    }

    [Fact]
    public void AnythingThatGoesTogetherKeepsThePromises()
    {
        int first = int.Parse(Environment.GetEnvironmentVariable("DISTTRAIN_FIRST_SEED") ?? "0");
        int count = int.Parse(Environment.GetEnvironmentVariable("DISTTRAIN_SEEDS") ?? "600");
        for (int seed = first; seed < first + count; seed++)
        {
            (Scenario scenario, Faults faults) = Scenario.Draw((ulong)seed);
            Run(scenario, faults, (ulong)seed);
        }
    }

    private static Scenario Shape(int shape) => new()
    {
        Stages = 1 + (shape % 4), Replicas = 1 + (shape / 4 % 3), Shards = 1 + (shape / 12 % 3), MicroBatches = 1 + (shape / 36 % 4),
    };

    private static void Run(Scenario scenario, Faults faults, ulong seed)
    {
        try
        {
            scenario.Check(faults, seed);
        }
        catch (Exception problem)
        {
            throw new InvalidOperationException($"{scenario} {faults} seed {seed}: {problem.Message}", problem);
        }
    }
}
