using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Runs;
using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Live;
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
    private const int MillionRows = 1_000_000, WarmUpEpochs = 4, Ways = 3, Readings = 20;

    private enum Watch
    {
        ByNobody,
        Served,
        ByReader,
    }

    /// <summary>
    /// Prints medians over rounds in which runs take turns that nobody serves, that are served and nobody reads, and whose every view somebody reads. The order
    /// changes from round to round, and each watched run is held against the unwatched one of its own round.
    /// </summary>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="seconds">About how long a run takes.</param>
    public static void Run(int rounds, double seconds)
    {
        TrainTest<float> data = DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Glyphs), ".", seed: 1);
        RunData rows = RunData.From(data);
        foreach (int[] hidden in new int[][] { [16], [128], [256, 128] })
        {
            int epochs = EpochsFor(rows, hidden, seconds);
            (double Seconds, double Processor)[][] times = [.. Enumerable.Range(0, rounds).Select(round => Round(rows, hidden, epochs, round))];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"784-{string.Join('-', hidden)}-10, {epochs} epochs: {Median([.. times.Select(round => round[(int)Watch.ByNobody].Seconds)]):F3} s alone; {rounds} paired rounds:"));
            foreach (Watch watch in new[] { Watch.Served, Watch.ByReader })
            {
                double[] wall = [.. times.Select(round => (round[(int)watch].Seconds / round[(int)Watch.ByNobody].Seconds) - 1)];
                double[] processor = [.. times.Select(round => (round[(int)watch].Processor / round[(int)Watch.ByNobody].Processor) - 1)];
                Console.WriteLine($"  {(watch == Watch.Served ? "served, nobody reads" : "every view read"),-20}  time {Spread(wall)}; processor time {Spread(processor)}");
            }
        }

        TimeViews(rows);
        OpenMillion();
    }

    /// <summary>What it takes to make each view of a run under way, which a reader asks for every 0.4 s, and the last two every 1.2 s.</summary>
    private static void TimeViews(RunData data)
    {
        string root = Directory.CreateTempSubdirectory("disttrain-bench-").FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "run")).FullName;
        File.WriteAllText(Path.Combine(folder, "experiment.yaml"), "name: run\n");
        RunViews views = new(new RunCatalog(root));
        LiveRun live = views.Begin(folder);
        using CancellationTokenSource stop = new();
        Task training = Task.Run(() => Train(data, [128], epochs: int.MaxValue / data.TrainRows, live, folder, stop));
        using ManualResetEventSlim never = new();
        never.Wait(TimeSpan.FromSeconds(1));
        foreach (string view in new[] { "run", "metrics", "pipeline", "actors" })
        {
            List<double> times = [];
            int bytes = 0;
            for (int reading = 0; reading < Readings; reading++)
            {
                never.Wait(TimeSpan.FromMilliseconds(100));
                long start = Stopwatch.GetTimestamp();
                bytes = views.View(view, folder)!.Value.Json().Length;
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"view {view}: {Median(times):F2} ms (least {times.Min():F2}), {bytes / 1e3:F1} kB"));
        }

        stop.Cancel();
        training.GetAwaiter().GetResult();
        live.Dispose();
        Directory.Delete(root, recursive: true);
    }

    /// <summary>How many epochs fill the time; the runs that find it out warm up as well.</summary>
    private static int EpochsFor(RunData rows, int[] hidden, double seconds)
    {
        Train(rows, hidden, WarmUpEpochs, Watch.ByReader);
        for (int epochs = WarmUpEpochs; ; epochs *= 2)
        {
            double taken = Train(rows, hidden, epochs, Watch.ByNobody).Seconds;
            if (taken > seconds / 2)
            {
                // By now the code is compiled for speed, which it was not when this run began.
                return Math.Max(1, (int)Math.Round(epochs * seconds / Train(rows, hidden, epochs, Watch.ByNobody).Seconds));
            }
        }
    }

    private static (double Seconds, double Processor)[] Round(RunData rows, int[] hidden, int epochs, int round)
    {
        (double Seconds, double Processor)[] times = new (double, double)[Ways];
        for (int turn = 0; turn < Ways; turn++)
        {
            int way = (round + turn) % Ways;
            times[way] = Train(rows, hidden, epochs, (Watch)way);
        }

        return times;
    }

    private static string Spread(double[] shares)
    {
        double[] sorted = [.. shares.Order()];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{100 * Median([.. shares]):+0.0;-0.0} % (quartiles {100 * sorted[sorted.Length / 4]:+0.0;-0.0} to {100 * sorted[3 * sorted.Length / 4]:+0.0;-0.0})");
    }

    private static (double Seconds, double Processor) Train(RunData data, int[] hidden, int epochs, Watch watch)
    {
        string root = Directory.CreateTempSubdirectory("disttrain-bench-").FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "run")).FullName;
        File.WriteAllText(Path.Combine(folder, "experiment.yaml"), "name: run\n");
        using CancellationTokenSource stop = new();
        DashboardServer? server = watch == Watch.ByNobody
            ? null
            : new DashboardServer(new DashboardOptions(root, IPAddress.Loopback, 0, Controls: true), new FrontEndFiles("", ""));
        using ILiveRun? live = server?.Begin(folder);
        Task reader = watch == Watch.ByReader ? ReadAll(new Uri(server!.Address, "api/events?id=run&views=run,metrics,pipeline,actors"), stop.Token) : Task.CompletedTask;
        GC.Collect();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        Train(data, hidden, epochs, live, folder, stop);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        stop.Cancel();
        reader.GetAwaiter().GetResult();
        server?.Dispose();
        Directory.Delete(root, recursive: true);
        return (seconds, used);
    }

    /// <summary>Writes metrics, as every run does that a command starts.</summary>
    private static void Train(RunData data, int[] hidden, int epochs, ILiveRun? live, string folder, CancellationTokenSource stop)
    {
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
                Training = new TrainingSettings(epochs, BatchSize: 64, MicroBatches: 4) { EvaluateEvery = epochs },
            },
        };
        using MetricsLog log = new(Path.Combine(folder, "metrics.jsonl"), restart: null);
        IRunObserver observer = new RecordingObserver(log, Quiet.Instance, stop);
        new ThreadsEngine().Run(live?.Watch(request) ?? request, live?.Watch(observer) ?? observer, stop.Token);
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
