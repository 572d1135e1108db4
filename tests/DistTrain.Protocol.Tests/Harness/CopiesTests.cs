using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using Shouldly;
using Xunit;

namespace DistTrain.Protocol.Tests.Harness;

public sealed class CopiesTests
{
    private static Faults Hard => new()
    {
        Loss = 0.05, Duplication = 0.1, LatencyMax = 40, LayerCrash = 0.001, ShardCrash = 0.001, FalseSuspicion = 0.0005, CoordinatorCrash = 0.0005,
        CoordinatorPause = 0.0005, DownMax = 1000, Most = 8,
    };

    [Fact]
    public void WithoutFaultsCopiesGiveWhatALoopGives()
    {
        for (int shape = 0; shape < 144; shape++)
        {
            Run(Shape(shape), Faults.None, (ulong)shape);
        }
    }

    [Fact]
    public void UnderLossesOfCopiesAndCoordinatorsEveryShapeGivesWhatALoopGives()
    {
        for (int shape = 0; shape < 288; shape++)
        {
            Run(Shape(shape) with { Clips = shape % 2 == 1, TrainRows = 80 }, Hard, (ulong)shape);
        }
    }

    [Fact]
    public void TheLossOfACopyAtAnyMomentTakesNoCommittedStepBack()
    {
        RunPlan plan = (Shape(17) with { CheckpointEvery = 0 }).Plan();
        for (int moment = 20; moment < 900; moment += 7)
        {
            int copy = moment % plan.Topology.ShardActors;
            FakeHost host = At(plan, moment, Faults.None with { DownMax = 1 + (moment % 3 * 500) }, host => host.Crash(plan.Topology.ShardActor(copy).Index));
            ShouldHaveKeptEveryCommit(plan, host, moment);
        }
    }

    [Fact]
    public void TheLossOfACoordinatorAndACopyAtAnyMomentTakesNoCommittedStepBack()
    {
        RunPlan plan = (Shape(17) with { CheckpointEvery = 0 }).Plan();
        for (int moment = 60; moment < 900; moment += 7)
        {
            int copy = moment % plan.Topology.ShardActors;
            FakeHost host = At(plan, moment, Faults.None, host =>
            {
                host.CrashCoordinator();
                host.Crash(plan.Topology.ShardActor(copy).Index);
            });
            host.Takeovers.ShouldBe(1);
            ShouldHaveKeptEveryCommit(plan, host, moment);
        }
    }

    [Fact]
    public void ACoordinatorThatGoesOnAfterItsReplacementCommitsNothing()
    {
        RunPlan plan = (Shape(17) with { CheckpointEvery = 0, Epochs = 4 }).Plan();
        int wokeUp = 0;
        for (int moment = 60; moment < 900; moment += 7)
        {
            FakeHost host = At(plan, moment, Faults.None, host => host.PauseCoordinator(0));
            host.Takeovers.ShouldBe(1);
            ShouldHaveKeptEveryCommit(plan, host, moment);
            long from = host.Reports.OfType<Recovered>().First().Step;

            // What it had heard from all copies, it may still write down: the new one has heard the same, and goes on from there.
            host.AfterReplacement.OfType<CommittedRecord>().ShouldAllBe(record => record.Step <= from);
            host.AfterReplacement.OfType<StepCommitted>().ShouldAllBe(report => report.Step <= from);
            wokeUp += host.AfterReplacement.Count > 0 ? 1 : 0;
        }

        wokeUp.ShouldBeGreaterThan(10);
    }

    private static FakeHost At(RunPlan plan, int moment, Faults faults, Action<FakeHost> what)
    {
        FakeHost host = new(plan, faults, (ulong)moment);
        int left = moment;
        host.OnEvent = () =>
        {
            if (left-- == 0)
            {
                what(host);
            }
        };
        return host.RunToEnd();
    }

    private static void ShouldHaveKeptEveryCommit(RunPlan plan, FakeHost host, int moment)
    {
        host.End.ShouldBe(new RunEnded(RunEnd.Completed, plan.TotalSteps, ""), $"moment {moment}");
        Scenario.CheckAgainstLoop(plan, host, plan.TotalSteps);
        long committed = 0;
        foreach (Report report in host.Reports)
        {
            // A step whose commit nobody may have heard of is told again; the run never goes back behind it.
            if (report is StepCommitted step)
            {
                step.Step.ShouldBeLessThanOrEqualTo(committed + 1, $"moment {moment}");
                committed = Math.Max(committed, step.Step);
            }
            else if (report is Recovered recovered)
            {
                recovered.Step.ShouldBe(committed, $"moment {moment}");
            }
        }

        committed.ShouldBe(plan.TotalSteps);
    }

    private static Scenario Shape(int shape) => new()
    {
        Copies = 2, Stages = 1 + (shape % 4), Replicas = 1 + (shape / 4 % 3), Shards = 1 + (shape / 12 % 3), MicroBatches = 1 + (shape / 36 % 4),
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
