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
    private const int MillionRows = 1_000_000, WarmUpEpochs = 4, WarmUpReaders = 8, WarmUpReadings = 300, Ways = 3, Readings = 60;

    private enum Watch
    {
        ByNobody,
        Served,
        ByReader,
    }

    /// <summary>What a run took.</summary>
    /// <param name="Seconds">Time.</param>
    /// <param name="Processor">Processor time of all threads.</param>
    /// <param name="Compiler">Of that, of the thread that compiles for speed what has been called often.</param>
    /// <param name="Server">Of that, of threads that neither compile nor compute.</param>
    private readonly record struct Cost(double Seconds, double Processor, double Compiler, double Server);

    /// <summary>
    /// Prints medians over rounds in which runs take turns that nobody serves, that are served and nobody reads, and whose every view somebody reads. The order
    /// changes from round to round, and each watched run is held against the unwatched one of its own round.
    /// </summary>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="seconds">About how long a run takes.</param>
    /// <param name="part">Part of the title of the cases to run; null for all.</param>
    public static void Run(int rounds, double seconds, string? part)
    {
        bool IsWanted(string title) => part is null || title.Contains(part, StringComparison.Ordinal);
        TrainTest<float> data = DataLoader.Load<float>(new GeneratedSpec(GeneratedKind.Glyphs), ".", seed: 1);
        RunData rows = RunData.From(data);

        // First, so that all that runs and watches is compiled for speed before anything is compared.
        WarmUp(rows);
        TimeViews(rows);
        foreach (int[] hidden in new int[][] { [16], [128], [256, 128] })
        {
            string title = $"784-{string.Join('-', hidden)}-10";
            if (IsWanted(title))
            {
                Compare(rows, hidden, title, rounds, seconds);
            }
        }

        if (IsWanted("million"))
        {
            OpenMillion();
        }
    }

    private static void Compare(RunData rows, int[] hidden, string title, int rounds, double seconds)
    {
        int epochs = EpochsFor(rows, hidden, seconds);
        Cost[][] costs = [.. Enumerable.Range(0, rounds).Select(round => Round(rows, hidden, epochs, round))];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{title}, {epochs} epochs: {Median([.. costs.Select(round => round[(int)Watch.ByNobody].Seconds)]):F3} s alone; {rounds} rounds, medians (95 % interval):"));
        foreach (Watch watch in new[] { Watch.Served, Watch.ByReader })
        {
            double[] More(Func<Cost, double> of) => [.. costs.Select(round => (of(round[(int)watch]) / of(round[(int)Watch.ByNobody])) - 1)];
            double Share(Func<Cost, double> of) => 100 * Median([.. costs.Select(round => (of(round[(int)watch]) - of(round[(int)Watch.ByNobody])) / round[(int)Watch.ByNobody].Processor)]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {(watch == Watch.Served ? "served, nobody reads" : "every view read"),-20}  time {Spread(More(cost => cost.Seconds))}; "
                + $"processor time {Spread(More(cost => cost.Processor))}, of that server {Share(cost => cost.Server):F1} %, just-in-time compiler {Share(cost => cost.Compiler):F1} %"));
        }
    }

    /// <summary>
    /// Watches a run as a reader would in minutes: what is called often is compiled again, by a thread that computes with the run for its cores. That happens once in a
    /// process; what it takes is told.
    /// </summary>
    private static void WarmUp(RunData data)
    {
        string root = Directory.CreateTempSubdirectory("disttrain-bench-").FullName;
        string folder = Directory.CreateDirectory(Path.Combine(root, "run")).FullName;
        File.WriteAllText(Path.Combine(folder, "experiment.yaml"), "name: run\n");
        using (DashboardServer server = new(new DashboardOptions(root, IPAddress.Loopback, 0, Controls: true), new FrontEndFiles("", "")))
        using (ILiveRun live = server.Begin(folder))
        using (CancellationTokenSource stop = new())
        using (HttpClient client = new())
        using (ManualResetEventSlim never = new())
        {
            Task training = Task.Run(() => Train(data, [16], epochs: int.MaxValue / data.TrainRows, live, folder, stop));
            Task[] readers = [.. Enumerable.Range(0, WarmUpReaders).Select(_ => ReadAll(new Uri(server.Address, "api/events?id=run&views=run,metrics,pipeline,actors"), stop.Token))];
            for (int reading = 0; reading < WarmUpReadings; reading++)
            {
                foreach (string view in new[] { "run", "metrics", "pipeline", "actors" })
                {
                    client.GetByteArrayAsync(new Uri(server.Address, $"api/{view}?id=run")).GetAwaiter().GetResult();
                }

                never.Wait(TimeSpan.FromMilliseconds(20));
            }

            stop.Cancel();
            training.GetAwaiter().GetResult();
            Task.WaitAll(readers);
        }

        Directory.Delete(root, recursive: true);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"warm-up: {Threads().Compiler:F1} s of compiling, once"));
    }

    /// <summary>What it takes to make each view of a run under way, of which a reader gets the first every 0.5 s or less often, the second every second, the others every other one.</summary>
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
                never.Wait(TimeSpan.FromMilliseconds(50));
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

    private static Cost[] Round(RunData rows, int[] hidden, int epochs, int round)
    {
        Cost[] costs = new Cost[Ways];
        for (int turn = 0; turn < Ways; turn++)
        {
            int way = (round + turn) % Ways;
            costs[way] = Train(rows, hidden, epochs, (Watch)way);
        }

        return costs;
    }

    /// <summary>The median, and between which two of the sorted values it lies 19 times out of 20, whatever their distribution (the normal approximation of ranks).</summary>
    private static string Spread(double[] shares)
    {
        double[] sorted = [.. shares.Order()];
        double reach = 0.98 * Math.Sqrt(sorted.Length);
        int low = Math.Max(0, (int)Math.Floor((sorted.Length / 2.0) - reach)), high = Math.Min(sorted.Length - 1, (int)Math.Ceiling((sorted.Length / 2.0) + reach));
        return string.Create(
            CultureInfo.InvariantCulture, $"{100 * Median([.. shares]):+0.0;-0.0} % ({100 * sorted[low]:+0.0;-0.0} to {100 * sorted[high]:+0.0;-0.0})");
    }

    /// <summary>
    /// Seconds that the compiler's thread and all threads but those of crews have run so far; 0 where the system does not tell it of threads (Linux does; their names
    /// have fifteen letters). It tells the server's part from that of the run itself.
    /// </summary>
    private static (double Compiler, double Server) Threads()
    {
        const string Tasks = "/proc/self/task", Crew = "disttrain-compu", Compiles = ".NET Tiered Com";
        (double compiler, double server) = (0, 0);
        foreach (string task in Directory.Exists(Tasks) ? Directory.GetDirectories(Tasks) : [])
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(task, "comm")).Trim();
                double seconds = double.Parse(File.ReadAllText(Path.Combine(task, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture) / 1e9;
                (compiler, server) = name switch
                {
                    Crew => (compiler, server),
                    Compiles => (compiler + seconds, server),
                    _ => (compiler, server + seconds),
                };
            }
            catch (IOException)
            {
                // This thread has just ended.
            }
        }

        return (compiler, server);
    }

    private static Cost Train(RunData data, int[] hidden, int epochs, Watch watch)
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
        (double compiler, double others) = Threads();
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        Train(data, hidden, epochs, live, folder, stop);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds, used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
        (double compilerNow, double othersNow) = Threads();
        stop.Cancel();
        reader.GetAwaiter().GetResult();
        server?.Dispose();
        Directory.Delete(root, recursive: true);
        return new Cost(seconds, used, compilerNow - compiler, othersNow - others);
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
