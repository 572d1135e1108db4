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
