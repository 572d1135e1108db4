using System.Diagnostics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// Training steps of plain networks beside PyTorch's best setting on the same cores, in alternating rounds: by actors, each layer its own actor,
/// and by the plain loop. A round is a whole run on both sides, set-up and the evaluation at its end included. The ratio of a round is immune to
/// whatever slows both; its median over the rounds is the figure.
/// </summary>
internal static class TorchBenchmark
{
    // Kernels and state machines are compiled to their final form within this time.
    private const double WarmUpSeconds = 5;

    // Each takes a tenth of a second and more: a core that has slept is slow for some milliseconds.
    private static readonly (string Title, int[] Sizes, int Rows, int Batch, int Epochs)[] Cases =
    [
        ("2-2-1 b4", [2, 2, 1], 4_000, 4, 25),
        ("64-64-10 b32", [64, 64, 10], 3_200, 32, 100),
        ("784-128-10 b64", [784, 128, 10], 6_400, 64, 10),
        ("784-512-256-10 b64", [784, 512, 256, 10], 6_400, 64, 3),
        ("784-512-256-10 b256", [784, 512, 256, 10], 12_800, 256, 3),
        ("784-1024x3-10 b128", [784, 1024, 1024, 1024, 10], 6_400, 128, 2),
    ];

    /// <summary>Prints a row for every case and compute-thread count.</summary>
    /// <param name="rounds">Paired rounds of each case.</param>
    /// <param name="part">Only cases whose title has this in it; null for all.</param>
    public static void Run(int rounds, string? part)
    {
        int cores = Environment.ProcessorCount;
        Console.WriteLine($"float32, SGD, a layer a stage and so an actor; medians of {rounds} paired rounds; ratios are PyTorch's time over ours, PyTorch at its fastest setting on {cores} cores");
        Console.WriteLine("| case | momentum | threads | actors us/step | plain loop us/step | PyTorch us/step | PyTorch / actors (range) | PyTorch / plain loop | PyTorch | between cores |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach ((string title, int[] sizes, int rows, int batch, int epochs) in Cases.Where(one => part is null || one.Title.Contains(part, StringComparison.Ordinal)))
        {
            foreach (double momentum in (double[])[0, 0.9])
            {
                PeerTraining training = new(sizes, rows, batch, epochs, momentum);
                using TorchPeer? peer = TorchPeer.StartFastest(training, cores, out string missing);
                foreach (int threads in (int[])[1, cores])
                {
                    Compare(title, training, threads, rounds, peer, missing);
                }
            }
        }
    }

    private static void Compare(string title, in PeerTraining training, int threads, int rounds, TorchPeer? peer, string missing)
    {
        RunRequest request = new() { Settings = Settings(training), Data = Data(training), ComputeThreads = threads };
        long begin = Stopwatch.GetTimestamp();
        do
        {
            Actors(request);
            PlainLoop(request);
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < WarmUpSeconds);

        List<double> actors = [], plain = [], torch = [], overActors = [], overPlain = [], apart = [];
        for (int round = 0; round < rounds; round++)
        {
            apart.Add(CoreDistance.Nanoseconds());
            actors.Add(Actors(request));
            plain.Add(PlainLoop(request));
            if (peer is not null)
            {
                torch.Add(peer.Round());
                overActors.Add(torch[^1] / actors[^1]);
                overPlain.Add(torch[^1] / plain[^1]);
            }
        }

        double perStep = 1e6 / training.Steps;
        string compared = peer is null
            ? $"| | | | {missing} |"
            : $"| {perStep * Median(torch):F1} | {Median(overActors):F2} ({overActors.Min():F2} to {overActors.Max():F2}) | {Median(overPlain):F2} | {peer.Version} |";
        Console.WriteLine($"| {title} | {training.Momentum} | {threads} | {perStep * Median(actors):F2} | {perStep * Median(plain):F2} {compared} {Median(apart):F0} ns |");
    }

    private static double Actors(RunRequest request)
    {
        long start = Stopwatch.GetTimestamp();
        new ThreadsEngine().Run(request, Quiet.Instance, CancellationToken.None);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double PlainLoop(RunRequest request)
    {
        long start = Stopwatch.GetTimestamp();
        SequentialTrainer.Run(request, Quiet.Instance);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static RunSettings Settings(in PeerTraining training)
    {
        IReadOnlyList<int> sizes = training.Sizes;
        bool classes = sizes[^1] > 1;
        LayerSpec[] layers =
        [
            .. sizes.Skip(1).SkipLast(1).Select(units => new DenseSpec(units, classes ? ActivationKind.Relu : ActivationKind.Sigmoid)),
            new DenseSpec(sizes[^1], classes ? ActivationKind.Softmax : ActivationKind.Linear),
        ];
        return new RunSettings
        {
            Name = "torch",
            Network = new NetworkSpec(sizes[0], layers),
            Loss = classes ? LossKind.CrossEntropy : LossKind.SquaredError,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4) { Momentum = training.Momentum },
            Training = new TrainingSettings(training.Epochs, training.Batch),
            Stages = [.. Enumerable.Repeat(1, layers.Length)],
            CheckpointEverySteps = 0,
        };
    }

    private static RunData Data(in PeerTraining training)
    {
        int inputs = training.Sizes[0], outputs = training.Sizes[^1];
        RandomStream stream = new(1, RandomPurpose.GeneratedData);
        float[] values = [.. Enumerable.Range(0, training.Rows * inputs).Select(i => (float)stream.Uniform(i, -1, 1))];
        DataSet<float> rows = outputs > 1
            ? DataSet<float>.FromLabels("random", inputs, values, [.. Enumerable.Range(0, training.Rows).Select(row => row % outputs)], outputs)
            : DataSet<float>.FromVectors("random", inputs, values, 1, [.. Enumerable.Range(0, training.Rows).Select(row => values[row * inputs])]);
        return RunData.From(new TrainTest<float>(rows, null));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
