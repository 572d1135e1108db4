using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;
using DistTrain.Protocol.Settings;
using Shouldly;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>A small run to be held against its faults.</summary>
internal sealed record Scenario
{
    public int Stages { get; init; } = 2;

    public int Replicas { get; init; } = 1;

    public int Shards { get; init; } = 1;

    public int Copies { get; init; } = 1;

    public int MicroBatches { get; init; } = 2;

    public string Method { get; init; } = "backprop";

    public string Schedule { get; init; } = "1f1b";

    public bool Clips { get; init; }

    public CompressionKind Compression { get; init; }

    public Consistency Consistency { get; init; }

    public int Staleness { get; init; } = 1;

    public int StepsInFlight { get; init; } = 2;

    public int TrainRows { get; init; } = 37;

    public int TestRows { get; init; } = 300;

    public int BatchSize { get; init; } = 10;

    public int Epochs { get; init; } = 2;

    public int CheckpointEvery { get; init; } = 3;

    /// <summary>The first stage is a dropout layer alone, without parameters.</summary>
    public bool StartsWithDropout { get; init; }

    public int? EarlyStopping { get; init; }

    public RunPlan Plan()
    {
        LayerSpec[] layers =
        [
            .. Enumerable.Range(0, Stages).Select(stage => stage == 0 && StartsWithDropout
                ? (LayerSpec)new DropoutSpec(0.5)
                : new DenseSpec(3, ActivationKind.Tanh)),
        ];
        return new RunPlan(
            new RunSettings
            {
                Name = "harness",
                Network = new NetworkSpec(3, layers),
                Loss = LossKind.SquaredError,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1) { ClipNorm = Clips ? 1 : null, Schedule = LearningRateSchedule.Cosine },
                Training = new TrainingSettings(Epochs, BatchSize, MicroBatches) { EarlyStoppingPatience = EarlyStopping },
                Method = new MethodSettings(Method, Schedule),
                Stages = [.. Enumerable.Repeat(1, Stages)],
                Replicas = Replicas,
                ParameterServer = new ParameterServerSettings
                {
                    Shards = Shards, Copies = Copies, Consistency = Consistency, StalenessStepsMax = Staleness, Compression = Compression,
                },
                CheckpointEverySteps = CheckpointEvery,
                StepsInFlight = StepsInFlight,
            },
            TrainRows,
            TestRows);
    }

    /// <summary>Everything drawn at random, as far as it goes together.</summary>
    public static (Scenario Scenario, Faults Faults) Draw(ulong seed)
    {
        RandomStream random = new(seed, RandomPurpose.Faults, layer: 1);
        long draw = 0;
        int Below(int bound) => random.Below(draw++, bound);
        bool isPipeDream = Below(6) == 0;
        Consistency consistency = isPipeDream ? Consistency.Sync : (Consistency)Math.Max(0, Below(5) - 2);
        int stages = 1 + Below(4), batch = 1 + Below(20);
        Scenario scenario = new()
        {
            Method = isPipeDream ? "pipedream" : "backprop",
            Schedule = ScheduleCatalog.Names[Below(3)],
            Stages = stages,
            Replicas = isPipeDream ? 1 : 1 + Below(3),
            Shards = 1 + Below(3),
            MicroBatches = isPipeDream ? 1 : 1 + Below(4),
            Clips = !isPipeDream && consistency == Consistency.Sync && Below(2) == 0,
            Compression = (CompressionKind)Below(4),
            Consistency = consistency,
            Staleness = Below(4),
            StepsInFlight = 1 + Below(3),
            BatchSize = batch,
            TrainRows = batch + Below(4 * batch),
            TestRows = Below(3) == 0 ? 0 : 1 + Below(3000),
            Epochs = 1 + Below(3),
            CheckpointEvery = Below(5),
            StartsWithDropout = stages > 1 && Below(5) == 0,
            EarlyStopping = Below(4) == 0 ? Below(2) : null,
        };
        Faults faults = new()
        {
            Loss = Below(3) * 0.05,
            Duplication = Below(3) * 0.1,
            LatencyMax = 1 + (Below(2) * Below(200)),
            JobMax = 1 + (Below(2) * Below(100)),
            LayerCrash = Below(3) * 0.001,
            ShardCrash = Below(3) * 0.001,
            FalseSuspicion = Below(3) * 0.0005,
            Most = Below(12),
            StopAfterEvents = Below(4) == 0 ? Below(2000) : -1,
            Cut = Below(4) == 0 ? (Below(6), Below(6), 20_000) : (-1, -1, 0),
        };
        bool hasCopies = consistency == Consistency.Sync && Below(2) == 0;
        return hasCopies
            ? (scenario with { Copies = 2 }, faults with { CoordinatorCrash = Below(3) * 0.0005, CoordinatorPause = Below(3) * 0.0005, DownMax = 1 + (Below(2) * Below(2000)) })
            : (scenario, faults);
    }

    /// <summary>Runs and checks everything that the protocol promises for this scenario.</summary>
    public FakeHost Check(Faults faults, ulong seed)
    {
        RunPlan plan = Plan();
        FakeHost host = new(plan, faults, seed);
        host.RunToEnd();
        RunEnded end = host.End!;
        bool mayStop = faults.StopAfterEvents >= 0 || EarlyStopping is not null;
        (end.End is RunEnd.Completed || (mayStop && end.End is RunEnd.Stopped)).ShouldBeTrue(end.ToString());
        if (!mayStop)
        {
            end.Step.ShouldBe(plan.TotalSteps);
        }

        CheckContributions(plan, host, end.Step);
        if (plan.Method.Synchronous && !plan.Asynchronous)
        {
            CheckAgainstLoop(plan, host, end.Step);
        }

        return host;
    }

    /// <summary>Each replica's contribution to each step is in the weights exactly once.</summary>
    private static void CheckContributions(RunPlan plan, FakeHost host, long step)
    {
        foreach (SlicePlan slice in plan.Slices)
        {
            KeptSlice kept = host.Jobs.Kept[(step, slice.Index)];
            List<(long Step, int Replica)> applied = [];
            for (Applied? one = kept.Applied; one is not null; one = one.Before)
            {
                applied.Add((one.Step, one.Replica));
            }

            applied.ShouldBeUnique();
            int beyond = plan.Asynchronous ? applied.Count(one => one.Step > step) : 0;
            applied.Count.ShouldBe((int)(step * plan.Settings.Replicas) + beyond, $"slice {slice.Index}");
        }
    }

    public static void CheckAgainstLoop(RunPlan plan, FakeHost host, long step)
    {
        SymbolicTrainer loop = new(plan);
        foreach (SlicePlan slice in plan.Slices)
        {
            host.Jobs.Kept[(step, slice.Index)].Weights.ShouldBe(loop.Weights[(int)step][slice.Index]);
        }

        foreach (Report report in host.Reports)
        {
            switch (report)
            {
                case StepCommitted committed:
                    committed.LossSum.ShouldBe(loop.Losses[(int)committed.Step]);
                    committed.Rows.ShouldBe(plan.RowsInStep(committed.Step));
                    break;
                case EvaluationCompleted evaluation:
                    evaluation.Loss.ShouldBe(loop.Evaluate(evaluation.Step, evaluation.Split));
                    break;
            }
        }

        if (host.End!.End == RunEnd.Completed)
        {
            host.Reports.OfType<EvaluationCompleted>().ShouldContain(report => report.Split == DataSplit.Train && report.Step == step);
        }
    }
}
