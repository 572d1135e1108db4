using System.Diagnostics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// Backpropagation beside front contribution, in alternating rounds on the same engine: whole runs of 50 epochs, one-time contribution and expansion included.
/// The ratio of a round is immune to whatever slows both; its median over the rounds is the figure.
/// </summary>
internal static class FrontBenchmark
{
    private const int Epochs = 50;
    private const int BatchSize = 32;

    public static void Run(int rounds, string? dataFolder, int threads)
    {
        Console.WriteLine($"batch {BatchSize}, momentum 0.9, float32, {Epochs} epochs, {threads} compute thread(s); backpropagation at one stage");
        Console.WriteLine("time ratio backpropagation / front contribution, and that of the multiplications in the first layer");
        Compare("N=300 d=5,000 h=64", Random(300, 5_000), 64, rounds, threads);
        Compare("N=500 d=20,000 h=128", Random(500, 20_000), 128, rounds, threads);
        Compare("N=2,000 d=500 h=64", Random(2_000, 500), 64, rounds, threads);
        if (dataFolder is not null)
        {
            Compare("golub-leukemia, all rows, h=64", Golub(dataFolder), 64, rounds, threads);
        }
    }

    private static void Compare(string title, RunData data, int hidden, int rounds, int threads)
    {
        NetworkSpec network = new(data.Inputs, [new DenseSpec(hidden, ActivationKind.Relu), new DenseSpec(data.Targets, ActivationKind.Softmax)]);
        RunSettings settings = new()
        {
            Name = "front",
            Network = network,
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4) { Momentum = 0.9 },
            Training = new TrainingSettings(Epochs, BatchSize),
            Stages = [2],
            CheckpointEverySteps = 0,
        };
        RunSettings contributing = settings with { Stages = [1, 1], Method = new MethodSettings("front-contribution") };
        RunRequest backprop = new() { Settings = settings, Data = data, ComputeThreads = threads }, front = backprop with { Settings = contributing };
        ThreadsEngine engine = new();
        Trace.Assert(engine.Refuses(front) is null);
        List<double> ratios = [], plain = [], alone = [];
        for (int round = -1; round < rounds; round++)
        {
            // The first round warms the kernels up.
            RunOutcome first = engine.Run(backprop, Quiet.Instance, CancellationToken.None), second = engine.Run(front, Quiet.Instance, CancellationToken.None);
            Trace.Assert(Math.Abs(first.FinalLoss - second.FinalLoss) <= 1e-3 * Math.Max(1, first.FinalLoss));
            if (round >= 0)
            {
                plain.Add(first.Wall.TotalSeconds);
                alone.Add(second.Wall.TotalSeconds);
                ratios.Add(first.Wall / second.Wall);
            }
        }

        FrontContributionCost cost = new(contributing, data.TrainRows, data.TestRows);
        double expected = cost.Backprop / Math.Min(cost.Gram, cost.Basis);
        Console.WriteLine(
            $"{title,-32} backprop {Median(plain),7:F3} s   front {Median(alone),7:F3} s ({cost.Cheaper(1).ToString().ToLowerInvariant()})   "
            + $"ratio: median {Median(ratios):F1}, min {ratios.Min():F1}, max {ratios.Max():F1}; multiplications {expected:F1}");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static RunData Random(int rows, int inputs)
    {
        const int Classes = 10;
        RandomStream stream = new(1, RandomPurpose.GeneratedData);
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % Classes)];
        float[] values = new float[rows * inputs];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)stream.Uniform(i, -1, 1) + (i % inputs % Classes == labels[i / inputs] ? 0.25f : 0);
        }

        return RunData.From(new TrainTest<float>(DataSet<float>.FromLabels("random", inputs, values, labels, Classes), null));
    }

    /// <summary>The training and test rows of the file as training rows, standardized on the former.</summary>
    private static RunData Golub(string folder)
    {
        CsvSpec spec = new("golub-leukemia.csv.gz")
        {
            Label = "label",
            Split = new CsvSplit("split", "test"),
            Scaling = new Scaling(Asinh: 20, Standardize: Standardization.Features),
        };
        TrainTest<float> rows = DataLoader.Load<float>(spec, folder, 1);
        DataSet<float>[] parts = [rows.Train, rows.Test!];
        float[] values = new float[parts.Sum(part => part.Rows) * rows.Train.Inputs];
        List<int> labels = [];
        int offset = 0;
        foreach (DataSet<float> part in parts)
        {
            int[] all = [.. Enumerable.Range(0, part.Rows)];
            part.CopyInputs(all, values.AsSpan(offset, part.Rows * part.Inputs));
            labels.AddRange(all.Select(part.LabelOf));
            offset += part.Rows * part.Inputs;
        }

        return RunData.From(new TrainTest<float>(
            DataSet<float>.FromLabels(rows.Train.Name, rows.Train.Inputs, values, [.. labels], rows.Train.Targets), null));
    }
}
