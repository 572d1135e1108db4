using DistTrain.Engines;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// How the time of a step grows with each size of a run alone, beside how its multiplications do: the first layer has two products and every other three.
/// </summary>
internal static class GrowthBenchmark
{
    // Multiply-adds of a measured run, which keep it near a second.
    private const double RunWork = 3e10;

    /// <summary>Prints a table; medians over the rounds.</summary>
    public static void Run(int rounds)
    {
        int threads = Environment.ProcessorCount;
        Console.WriteLine($"threads engine, {threads} compute threads, float32, SGD, a layer an actor where nothing else is said; medians of {rounds} rounds");
        Console.WriteLine("| grows | value | us/step | over the line before | expected |");
        Console.WriteLine("|---|---|---|---|---|");
        Table("width (3 layers, batch 128)", [128, 256, 512, 1024], rounds, width => Case([width, width, width, 10], 128));
        Table("depth (layers of 256, batch 128)", [2, 4, 8, 16, 32], rounds, depth => Case([.. Enumerable.Repeat(256, depth), 10], 128));
        Table("batch (784-256-128-10)", [32, 64, 128, 256, 512], rounds, batch => Case([784, 256, 128, 10], batch));
        Table("micro-batches (784-256-128-10, batch 256)", [1, 2, 4, 8], rounds, count => Case([784, 256, 128, 10], 256, microBatches: count));
        Table("stages (8 layers of 256, batch 256, 4 micro-batches)", [1, 2, 4, 8], rounds, stages => Case([.. Enumerable.Repeat(256, 8), 10], 256, stages, microBatches: 4));
        Table("replicas (784-256-128-10, batch 256, one stage)", [1, 2, 4, 8], rounds, replicas => Case([784, 256, 128, 10], 256, 1, replicas));
        Table("shards (8 layers of 256, batch 128)", [1, 2, 4, 8], rounds, shards => Case([.. Enumerable.Repeat(256, 8), 10], 128, shards: shards));
    }

    private static void Table(string grows, int[] values, int rounds, Func<int, (RunSettings Settings, RunData Data, double Work)> make)
    {
        (RunSettings Settings, RunData Data, double Work)[] cases = [.. values.Select(make)];
        List<double>[] times = [.. values.Select(_ => new List<double>())];
        for (int round = 0; round < rounds; round++)
        {
            for (int index = 0; index < cases.Length; index++)
            {
                times[index].Add(RandomRows.MicrosecondsPerStep(cases[index].Settings, cases[index].Data, 0));
            }
        }

        double[] medians = [.. times.Select(time => time.Order().ElementAt(time.Count / 2))];
        for (int index = 0; index < values.Length; index++)
        {
            string growth = index == 0 ? "" : $"{medians[index] / medians[index - 1]:F2}", right = index == 0 ? "" : $"{cases[index].Work / cases[index - 1].Work:F2}";
            Console.WriteLine($"| {grows} | {values[index]} | {medians[index]:F1} | {growth} | {right} |");
        }
    }

    private static (RunSettings Settings, RunData Data, double Work) Case(int[] sizes, int batch, int stages = 0, int replicas = 1, int shards = 1, int microBatches = 1)
    {
        const int StepsOfAnEpoch = 20;
        int layers = sizes.Length - 1;

        // Three products a layer: forward, gradient, and the signal for the layer before.
        double work = batch * ((3.0 * Enumerable.Range(0, layers).Sum(layer => (double)sizes[layer] * sizes[layer + 1])) - ((double)sizes[0] * sizes[1]));
        int epochs = Math.Max(3, (int)(RunWork / work / StepsOfAnEpoch));
        int count = stages == 0 ? layers : stages;
        int[] cut = [.. Enumerable.Range(0, count).Select(stage => ((stage + 1) * layers / count) - (stage * layers / count))];
        RunSettings settings = RandomRows.Settings(sizes, cut, new TrainingSettings(epochs, batch, microBatches)) with
        {
            Replicas = replicas,
            ParameterServer = new ParameterServerSettings { Shards = shards },
        };
        return (settings, RandomRows.Data(StepsOfAnEpoch * batch, sizes[0], sizes[^1]), work);
    }
}
