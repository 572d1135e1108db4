using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Pages;
using DistTrain.Dashboard.Server;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>What it costs a run that somebody watches all of its views, and how long a million rows of metrics take to open.</summary>
internal static class DashboardBenchmark
{
    private const int MillionRows = 1_000_000;

    /// <summary>Prints medians over rounds in which watched and unwatched runs take turns.</summary>
    public static void Run(int rounds)
    {
        TrainTest<float> data = DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Glyphs), ".", seed: 1);
        RunData rows = RunData.From(data);
        foreach (int[] hidden in new int[][] { [16], [128], [256, 128] })
        {
            List<double> alone = [], watched = [], ratios = [], processors = [];
            for (int round = 0; round <= rounds; round++)
            {
                (double Seconds, double Processor) without = Train(rows, hidden, isWatched: false), with = Train(rows, hidden, isWatched: true);

                // The first round warms up.
                if (round > 0)
                {
                    alone.Add(without.Seconds);
                    watched.Add(with.Seconds);
                    ratios.Add((with.Seconds / without.Seconds) - 1);
                    processors.Add((with.Processor / without.Processor) - 1);
                }
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"784-{string.Join('-', hidden)}-10: {Median(alone):F3} s alone, {Median(watched):F3} s watched; paired rounds: time {100 * Median(ratios):+0.0;-0.0} %, processor time {100 * Median(processors):+0.0;-0.0} %"));
        }

        OpenMillion();
    }

    private static (double Seconds, double Processor) Train(RunData data, int[] hidden, bool isWatched)
    {
        string root = Directory.CreateTempSubdirectory("disttrain-bench-").FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "run")).FullName;
        File.WriteAllText(Path.Combine(folder, "experiment.yaml"), "name: run\n");
        RunRequest request = new()
        {
            Data = data,
            Settings = new RunSettings
            {
                Name = "run",
                Network = new NetworkSpec(data.Inputs, [.. hidden.Select(units => new DenseSpec(units, ActivationKind.Relu)), new DenseSpec(10, ActivationKind.Softmax)]),
                Stages = [.. Enumerable.Repeat(1, hidden.Length + 1)],
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.05),
                Training = new TrainingSettings(Epochs: 20, BatchSize: 64, MicroBatches: 4) { EvaluateEvery = 20 },
            },
        };
        using CancellationTokenSource stop = new();
        DashboardServer? server = isWatched ? new DashboardServer(new DashboardOptions(root, IPAddress.Loopback, 0, Controls: true), new FrontEndFiles("", "")) : null;
        using ILiveRun? live = server?.Begin(folder);
        Task reader = server is null ? Task.CompletedTask : ReadAll(new Uri(server.Address, "api/events?id=run&views=run,metrics,pipeline,actors"), stop.Token);
        IRunObserver observer = new Quiet();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        new ThreadsEngine().Run(live?.Watch(request, ThreadsEngine.EngineName) ?? request, live?.Watch(observer) ?? observer, CancellationToken.None);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        stop.Cancel();
        reader.GetAwaiter().GetResult();
        server?.Dispose();
        Directory.Delete(root, recursive: true);
        return (seconds, used);
    }

    private static async Task ReadAll(Uri address, CancellationToken stop)
    {
        using HttpClient client = new();
        try
        {
            using Stream stream = await client.GetStreamAsync(address, stop).ConfigureAwait(false);
            await stream.CopyToAsync(Stream.Null, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private static void OpenMillion()
    {
        string path = Path.GetTempFileName();
        StringBuilder line = new();
        using (StreamWriter file = new(path))
        {
            for (int step = 1; step <= MillionRows; step++)
            {
                line.Clear().Append(CultureInfo.InvariantCulture,
                    $"{{\"type\":\"step\",\"step\":{step},\"loss\":{2.3 / Math.Sqrt(step):R},\"accuracy\":0.875,\"rows\":64,\"total_steps\":{MillionRows},\"learning_rate\":0.05,\"elapsed_seconds\":{step * 0.00123:F6}}}\n");
                file.Write(line);
            }
        }

        List<double> times = [];
        int bytes = 0;
        for (int round = 0; round < 5; round++)
        {
            long start = Stopwatch.GetTimestamp();
            bytes = JsonPages.Write(new MetricsFile(path).Read()).Length;
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a million metric rows ({new FileInfo(path).Length / 1e6:F0} MB): first {times[0]:F2} s, median {Median(times):F2} s, {bytes / 1e3:F0} kB to the page"));
        File.Delete(path);
    }

    private static double Median(List<double> values)
    {
        List<double> sorted = [.. values.Order()];
        return sorted[sorted.Count / 2];
    }
}
