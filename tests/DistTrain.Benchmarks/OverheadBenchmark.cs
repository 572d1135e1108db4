using System.Diagnostics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// What actors cost: the same training by the plain sequential loop and by actors on one compute thread at one stage, in
/// alternating rounds. The ratio
/// of a round is immune to whatever slows both; its median over the rounds is the figure.
/// </summary>
internal static class OverheadBenchmark
{
    public static void Run(int rounds)
    {
        RunData data = RunData.From(DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Glyphs), ".", 1));
        Console.WriteLine("784-256-128-10, batch 64, float32, SGD momentum 0.9, one stage, one compute thread");
        Compare("one micro-batch", data, microBatches: 1, rounds);
        Compare("four micro-batches", data, microBatches: 4, rounds);
    }

    private static void Compare(string title, RunData data, int microBatches, int rounds)
    {
        RunRequest request = new() { Settings = Settings(microBatches), Data = data, ComputeThreads = 1 };
        ThreadsEngine threads = new();
        Quiet quiet = Quiet.Instance;
        List<double> ratios = [], plain = [], actors = [];
        for (int round = -1; round < rounds; round++)
        {
            RunOutcome sequential = SequentialTrainer.Run(request, quiet);
            RunOutcome threaded = threads.Run(request, quiet, CancellationToken.None);
            Trace.Assert(sequential.Parameters.Zip(threaded.Parameters).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values)));
            if (round >= 0)
            {
                // The first round warms the kernels up.
                plain.Add(sequential.SamplesPerSecond);
                actors.Add(threaded.SamplesPerSecond);
                ratios.Add(sequential.SamplesPerSecond / threaded.SamplesPerSecond);
            }
        }

        Console.WriteLine(
            $"{title,-20} sequential {Median(plain),9:N0} samples/s   actors {Median(actors),9:N0} samples/s   "
            + $"time ratio actors / sequential: median {Median(ratios):F3}, min {ratios.Min():F3}, max {ratios.Max():F3}");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static RunSettings Settings(int microBatches) => new()
    {
        Name = "overhead",
        Network = new NetworkSpec(
            784,
            [
                new DenseSpec(256, ActivationKind.Relu),
                new DenseSpec(128, ActivationKind.Relu),
                new DenseSpec(10, ActivationKind.Softmax),
            ]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.02) { Momentum = 0.9 },
        Training = new TrainingSettings(5, 64, microBatches),
        Stages = [3],
        CheckpointEverySteps = 0,
    };
}
