using System.Diagnostics;
using System.Globalization;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// Data-parallel steps of 784-512-256-10 in two worker processes beside PyTorch's DistributedDataParallel with gloo in two processes, in alternating rounds. Ours
/// are counted from a third of the run on, because each round starts its processes anew; PyTorch's processes live on and have trained before.
/// </summary>
internal static class DdpBenchmark
{
    /// <summary>How the experiment's text starts, for the children.</summary>
    public const string Experiment = "ddp";

    private const int Replicas = 2, Rows = 12_800;

    private static readonly int[] s_sizes = [784, 512, 256, 10];

    /// <summary>A child's reading of the experiment.</summary>
    public static ChildExperiment Read(string text)
    {
        string[] parts = text.Split(';');
        int batch = int.Parse(parts[1], CultureInfo.InvariantCulture), epochs = int.Parse(parts[2], CultureInfo.InvariantCulture);
        return new ChildExperiment(Settings(batch, epochs, parts[3]), Data, _ => null, []);
    }

    /// <summary>Prints a row for every batch and cut into actors.</summary>
    public static void Run(int rounds, string? stages)
    {
        Console.WriteLine($"784-512-256-10, float32, SGD, {Replicas} replicas in a process each, durability memory; medians of {rounds} alternating rounds");
        Console.WriteLine("| batch (all replicas) | stages of a replica | ours us/step | thousand samples/s | DDP us/step | thousand samples/s | DDP / ours (range) | DDP |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach ((int batch, int epochs) in (ReadOnlySpan<(int, int)>)[(64, 15), (256, 24)])
        {
            PeerTraining training = new(s_sizes, Rows, batch, 3, 0);
            using TorchPeer? peer = TorchPeer.StartDdp(training, Replicas, out string missing);
            foreach (string cut in stages is null ? (string[])["3", "1,1,1"] : [stages])
            {
                List<double> ours = [], theirs = [], ratios = [];
                for (int round = 0; round < rounds; round++)
                {
                    ours.Add(MicrosecondsPerStep(batch, epochs, cut));
                    if (peer is not null)
                    {
                        theirs.Add(peer.Round() * 1e6 / training.Steps);
                        ratios.Add(theirs[^1] / ours[^1]);
                    }
                }

                string compared = peer is null
                    ? $"| | | {missing} |"
                    : $"| {Median(theirs):F0} | {batch * 1e3 / Median(theirs):F1} | {Median(ratios):F2} ({ratios.Min():F2} to {ratios.Max():F2}) | {peer.Version} |";
                Console.WriteLine($"| {batch} | {cut} | {Median(ours):F0} | {batch * 1e3 / Median(ours):F1} {compared}");
            }
        }
    }

    private static double MicrosecondsPerStep(int batch, int epochs, string stages)
    {
        RunRequest request = new()
        {
            Settings = Settings(batch, epochs, stages),
            Data = Data(),
            Experiment = string.Create(CultureInfo.InvariantCulture, $"{Experiment};{batch};{epochs};{stages}"),
            Workers = Replicas,
        };
        StepClock clock = new(epochs * (long)(Rows / batch) / 3);
        RunOutcome outcome = new ProcessesEngine().Run(request, clock, CancellationToken.None);
        return outcome.Status == RunStatus.Completed ? clock.MicrosecondsPerStep : throw new InvalidOperationException(outcome.Reason);
    }

    private static RunSettings Settings(int batch, int epochs, string stages) => new()
    {
        Name = "ddp",
        Network = new NetworkSpec(
            s_sizes[0],
            [
                new DenseSpec(s_sizes[1], ActivationKind.Relu),
                new DenseSpec(s_sizes[2], ActivationKind.Relu),
                new DenseSpec(s_sizes[3], ActivationKind.Softmax),
            ]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4),
        Training = new TrainingSettings(epochs, batch) { EvaluateEvery = epochs },
        Stages = [.. stages.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))],
        Replicas = Replicas,
        CheckpointEverySteps = 0,
        Durability = Durability.Memory,
    };

    private static RunData Data()
    {
        RandomStream stream = new(1, RandomPurpose.GeneratedData);
        float[] values = [.. Enumerable.Range(0, Rows * s_sizes[0]).Select(i => (float)stream.Uniform(i, -1, 1))];
        int[] labels = [.. Enumerable.Range(0, Rows).Select(row => row % s_sizes[^1])];
        return RunData.From(new TrainTest<float>(DataSet<float>.FromLabels("random", s_sizes[0], values, labels, s_sizes[^1]), null));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>Takes the time from one step to the last.</summary>
    private sealed class StepClock(long from) : IRunObserver
    {
        private long _start, _last, _steps;

        public double MicrosecondsPerStep => Stopwatch.GetElapsedTime(_start, _last).TotalMicroseconds / _steps;

        public void OnStep(in StepProgress step)
        {
            if (step.Step == from)
            {
                _start = Stopwatch.GetTimestamp();
            }
            else if (step.Step > from)
            {
                (_last, _steps) = (Stopwatch.GetTimestamp(), step.Step - from);
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }
    }
}
