using DistTrain.Engines;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// 1F1B over two stages of equal cost beside data parallelism with two replicas, on two threads at batch 256, in alternating rounds. Utilisation is the time of the same
/// run on one thread over both threads' time; beside it stands what the bubble of the schedule, (p−1)/(m+p−1), leaves.
/// </summary>
internal static class PipelineBenchmark
{
    private const int Batch = 256, Threads = 2, Stages = 2, Epochs = 15, Rows = 20 * Batch;

    // In units of a product of 512 by 512: the first layer needs no gradient of its inputs, so 2+3+3+3 before the cut and 3+3+3+2 behind it.
    private static readonly int[] s_sizes = [512, 512, 512, 512, 512, 512, 512, 512, 342];

    /// <summary>Prints a row for every number of micro-batches.</summary>
    public static void Run(int rounds)
    {
        RunData data = RandomRows.Data(Rows, s_sizes[0], s_sizes[^1]);
        Console.WriteLine($"8 layers of 512, batch {Batch}, float32, SGD, {Threads} threads; medians of {rounds} alternating rounds");
        Console.WriteLine("| micro-batches | 1F1B us/step | data parallel us/step | 1F1B over data parallel, speed (range) | utilisation | 1 - bubble |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (int microBatches in (int[])[2, 4, 8, 16])
        {
            List<double> pipeline = [], parallel = [], ratios = [], utilisations = [];
            for (int round = -1; round < rounds; round++)
            {
                double piped = RandomRows.MicrosecondsPerStep(Settings(Stages, 1, microBatches), data, Threads);
                double replicated = RandomRows.MicrosecondsPerStep(Settings(1, 2, 1), data, Threads);
                double alone = RandomRows.MicrosecondsPerStep(Settings(Stages, 1, microBatches), data, 1);
                if (round >= 0)
                {
                    pipeline.Add(piped);
                    parallel.Add(replicated);
                    ratios.Add(replicated / piped);
                    utilisations.Add(alone / Threads / piped);
                }
            }

            double formula = 1 - ((Stages - 1.0) / (microBatches + Stages - 1));
            Console.WriteLine(
                $"| {microBatches} | {Median(pipeline):F0} | {Median(parallel):F0} | {Median(ratios):F2} ({ratios.Min():F2} to {ratios.Max():F2}) | {Median(utilisations):F2} | {formula:F2} |");
        }
    }

    private static RunSettings Settings(int stages, int replicas, int microBatches) =>
        RandomRows.Settings(s_sizes, [.. Enumerable.Repeat((s_sizes.Length - 1) / stages, stages)], new TrainingSettings(Epochs, Batch, microBatches)) with
        {
            Replicas = replicas,
        };

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
