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
/// Backpropagation beside front contribution and, where it is installed, PyTorch's backpropagation, in alternating rounds: whole runs of 50 epochs
/// from the call of the engine to its return: threads and buffers set up, weights drawn, contributions, every step committed, the training rows
/// evaluated once at the end, weights expanded, parameters handed out. A run that nobody can go on from, as these are, expands no velocity; the ratio of
/// one that does expand it, as where a folder keeps the run, stands beside it, over backpropagation of its own, so that each follows on the same.
/// All of ours do the same number of steps and evaluations. The ratio of a round is immune to whatever slows both; its median over the rounds is the figure. Beside it stand the ratio of the fastest runs,
/// which others on the machine disturb least, and what a plan predicts.
/// </summary>
internal static class FrontBenchmark
{
    private const int Epochs = 50;
    private const int BatchSize = 32;
    private const double Momentum = 0.9;

    // Kernels and state machines are compiled to their final form within this time.
    private const double WarmUpSeconds = 5;

    // Runs shorter than this are disturbed more by others on the machine and get more rounds.
    private const double ShortSeconds = 0.3;
    private const int ShortFactor = 5;

    // PyTorch's rounds are long; after this many seconds of them a case goes on without.
    private const double PeerSeconds = 20;

    public static void Run(int rounds, string? dataFolder, int threads)
    {
        MachineProfile machine = Calibration.Measure("this machine", threads);
        Console.WriteLine($"batch {BatchSize}, momentum 0.9, float32, {Epochs} epochs, {threads} compute thread(s); backpropagation at one stage; milliseconds, medians");
        Console.WriteLine($"calibrated: {machine.ProductGigaflopsFloat32:F0} GFLOP/s, {machine.StreamRates[0].GigabytesPerSecond:F0} to {machine.StreamRates[^1].GigabytesPerSecond:F0} GB/s, "
            + $"{1e6 * machine.MessageSeconds:F2} us a message, {1e9 * machine.LossSeconds:F1} ns a loss value, {1e-9 / (1 / machine.DrawsPerSecond):F2} G draws/s, {1e6 * machine.StartSeconds:F0} us a run, threads x{machine.ThreadSpeedup:F2}");
        Console.WriteLine("case                             backprop    front         ratio (range)  fastest  with velocity    predicted (backprop/front)        FLOPs      torch  torch/front");
        Compare("N=300 d=5,000 h=64", Random(300, 5_000), 64, rounds, machine);
        Compare("N=500 d=20,000 h=128", Random(500, 20_000), 128, rounds, machine);
        Compare("N=2,000 d=500 h=64", Random(2_000, 500), 64, rounds, machine);
        if (dataFolder is not null)
        {
            Compare("golub-leukemia, all rows, h=64", Golub(dataFolder), 64, rounds, machine);
        }
    }

    private static void Compare(string title, RunData data, int hidden, int rounds, MachineProfile machine)
    {
        NetworkSpec network = new(data.Inputs, [new DenseSpec(hidden, ActivationKind.Relu), new DenseSpec(data.Targets, ActivationKind.Softmax)]);
        RunSettings settings = new()
        {
            Name = "front",
            Network = network,
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4) { Momentum = Momentum },
            Training = new TrainingSettings(Epochs, BatchSize),
            Stages = [2],
            CheckpointEverySteps = 0,
        };
        RunSettings contributing = settings with { Stages = [1, 1], Method = new MethodSettings("front-contribution") };
        RunRequest backprop = new() { Settings = settings, Data = data, ComputeThreads = machine.Threads };
        RunRequest front = backprop with { Settings = contributing }, velocityToo = front with { GoesOn = true };
        long begin = Stopwatch.GetTimestamp();
        double round;
        do
        {
            round = Round(backprop).Seconds + Round(front).Seconds + Round(velocityToo).Seconds;
        }
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < WarmUpSeconds);

        PeerTraining training = new([data.Inputs, hidden, data.Targets], data.TrainRows, BatchSize, Epochs, Momentum);
        using TorchPeer? peer = TorchPeer.StartFastest(training, machine.Threads, out string missing);
        List<double> ratios = [], ratiosWithVelocity = [], plain = [], alone = [], withVelocity = [], torch = [];
        for (int i = 0; i < (round < ShortSeconds ? ShortFactor * rounds : rounds); i++)
        {
            (double first, double one) = Round(backprop);
            (double second, double other) = Round(front);
            Trace.Assert(Math.Abs(one - other) <= 1e-3 * Math.Max(1, one));
            plain.Add(first);
            alone.Add(second);
            ratios.Add(first / second);
            double third = Round(backprop).Seconds, fourth = Round(velocityToo).Seconds;
            plain.Add(third);
            withVelocity.Add(fourth);
            ratiosWithVelocity.Add(third / fourth);
            if (peer is not null && torch.Sum() < PeerSeconds)
            {
                torch.Add(peer.Round());
            }
        }

        CostEntry planned = Planned(settings, data, machine), plannedFront = Planned(contributing, data, machine);
        double ratio = Median(ratios), predicted = planned.Seconds / plannedFront.Seconds, error = Math.Max(ratio / predicted, predicted / ratio);
        string form = plannedFront.Settings.Form.ToString().ToLowerInvariant();
        string peers = torch.Count == 0 ? "" : $"{1e3 * Median(torch),9:F1} {Median(torch) / Median(alone),10:F1}";
        Console.WriteLine(
            $"{title,-32} {1e3 * Median(plain),8:F1} {1e3 * Median(alone),8:F2} ({form,-5})  {ratio,5:F1} ({ratios.Min():F1} to {ratios.Max():F1}) {plain.Min() / alone.Min(),6:F1} {1e3 * Median(withVelocity),8:F2} {Median(ratiosWithVelocity),5:F1}".PadRight(108)
            + $"{predicted,6:F1} ({1e3 * planned.Seconds:F0}/{1e3 * plannedFront.Seconds:F1}) {(error <= 1.5 ? "within" : "NOT within")} 1.5 {planned.Arithmetic.Total / plannedFront.Arithmetic.Total,6:F1} {peers}");
        Console.WriteLine(peer is null ? missing : $"{"",-32} {torch.Count} round(s) of PyTorch {peer.Version}");
    }

    private static (double Seconds, double FinalLoss) Round(RunRequest request)
    {
        long start = Stopwatch.GetTimestamp();
        using RunOutcome outcome = new ThreadsEngine().Run(request, Quiet.Instance, CancellationToken.None);
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, outcome.FinalLoss);
    }

    private static CostEntry Planned(RunSettings settings, RunData data, MachineProfile machine) =>
        CostModel.Of(settings, data.TrainRows, data.TestRows, null, machine).Methods.Single(entry => entry.Planned);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    internal static RunData Random(int rows, int inputs)
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
