using System.Diagnostics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// What durability costs: the same training on threads with durability <c>memory</c>, <c>step</c> and <c>power</c>, each writing the same snapshots to the same
/// disk, in alternating rounds. The figure is the median over the rounds of the difference to <c>memory</c> in the same round.
/// </summary>
internal static class DurabilityBenchmark
{
    private static readonly Durability[] Kinds = [Durability.Memory, Durability.Step, Durability.Power];

    public static void Run(int rounds)
    {
        RunData data = RunData.From(DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Glyphs), ".", 1));
        string root = Directory.CreateTempSubdirectory("disttrain-durability-").FullName;
        Console.WriteLine($"threads, one compute thread, batch 64, float32, a snapshot every 200 steps; {rounds} rounds; journal under {root}");
        try
        {
            OptimizerSpec momentum = new(OptimizerKind.Sgd, 0.02) { Momentum = 0.9 }, adam = OptimizerDefaults.For(OptimizerKind.Adam, 0.001);
            Compare("784-16-10, momentum", data, [16, 10], momentum, 1, root, rounds);
            Compare("784-256-128-10, momentum", data, [256, 128, 10], momentum, 1, root, rounds);
            Compare("784-256-128-10, Adam", data, [256, 128, 10], adam, 1, root, rounds);
            Compare("784-256-128-10, Adam, 3 shards", data, [256, 128, 10], adam, 3, root, rounds);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Compare(string title, RunData data, int[] units, OptimizerSpec optimizer, int shards, string root, int rounds)
    {
        List<double>[] milliseconds = [[], [], []], differences = [[], [], []];
        for (int round = -1; round < rounds; round++)
        {
            double[] own = [.. Kinds.Select(kind => MillisecondsPerStep(Request(data, units, optimizer, shards, kind, Path.Combine(root, "journal"))))];
            for (int kind = 0; kind < Kinds.Length && round >= 0; kind++)
            {
                // The first round warms kernels and disk up.
                milliseconds[kind].Add(own[kind]);
                differences[kind].Add(own[kind] - own[0]);
            }
        }

        Console.WriteLine(
            $"{title,-32} memory {Median(milliseconds[0]):F3} ms a step   step {Median(differences[1]):+0.000;-0.000} ms ({Median(differences[1]) / Median(milliseconds[0]):+0 %;-0 %})   "
            + $"power {Median(differences[2]):+0.000;-0.000} ms ({Median(differences[2]) / Median(milliseconds[0]):+0 %;-0 %})");
    }

    private static double MillisecondsPerStep(RunRequest request)
    {
        long started = Stopwatch.GetTimestamp();
        RunOutcome outcome = new ThreadsEngine().Run(request, Quiet.Instance, CancellationToken.None);
        Trace.Assert(outcome.Status == RunStatus.Completed, outcome.Reason);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds / outcome.Steps;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static RunRequest Request(RunData data, int[] units, OptimizerSpec optimizer, int shards, Durability durability, string journal) => new()
    {
        Data = data,
        ComputeThreads = 1,
        JournalFolder = journal,
        Settings = new RunSettings
        {
            Name = "durability",
            Network = new NetworkSpec(
                784,
                [.. units.Select((width, layer) => new DenseSpec(width, layer == units.Length - 1 ? ActivationKind.Softmax : ActivationKind.Relu))]),
            Loss = LossKind.CrossEntropy,
            Optimizer = optimizer,
            Training = new TrainingSettings(3, 64, 1),
            ParameterServer = new ParameterServerSettings { Shards = shards },
            Stages = [units.Length],
            Durability = durability,
            CheckpointEverySteps = 200,
        },
    };
}
