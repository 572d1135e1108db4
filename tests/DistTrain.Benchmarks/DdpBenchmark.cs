using System.Globalization;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
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
        SteadySteps clock = new(epochs * (long)(Rows / batch) / 3);
        RunOutcome outcome = new ProcessesEngine().Run(request, clock, CancellationToken.None);
        return outcome.Status == RunStatus.Completed ? clock.MicrosecondsPerStep : throw new InvalidOperationException(outcome.Reason);
    }

    private static RunSettings Settings(int batch, int epochs, string stages) => RandomRows.Settings(
        s_sizes, [.. stages.Split(',').Select(count => int.Parse(count, CultureInfo.InvariantCulture))], new TrainingSettings(epochs, batch)) with
    {
        Replicas = Replicas,
        Durability = Durability.Memory,
    };

    private static RunData Data() => RandomRows.Data(Rows, s_sizes[0], s_sizes[^1]);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
