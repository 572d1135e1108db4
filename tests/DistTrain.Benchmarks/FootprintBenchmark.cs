using System.Diagnostics;
using System.Globalization;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Engines.Threads;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>What a run takes besides time: the most memory it ever has, beside PyTorch; from a process's start to its first committed step; and processors while it waits.</summary>
internal static class FootprintBenchmark
{
    /// <summary>The argument that makes the program a training whose memory is looked at.</summary>
    public const string PeerVerb = "memory-peer";

    /// <summary>How the experiment's text of the waiting run starts, for its children.</summary>
    public const string Waiting = "waiting";

    private static readonly IdxFiles s_train = new("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    private static readonly IdxFiles s_test = new("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");

    /// <summary>Prints peak resident memory of two epochs of Fashion-MNIST, 784-256-128-10, batch 64.</summary>
    public static void Memory(int rounds, string folder)
    {
        string python = File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
        List<double> ours = [], theirs = [];
        for (int round = 0; round < rounds; round++)
        {
            ours.Add(Output(Environment.ProcessPath!, [.. OwnProgram(), PeerVerb, folder]));
            theirs.Add(Output(python, [Path.Combine(AppContext.BaseDirectory, "peers", "memory.py"), folder]));
        }

        Console.WriteLine(
            $"Fashion-MNIST, 784-256-128-10, batch 64, two epochs, {Environment.ProcessorCount} threads: peak resident memory {Median(ours) / 1024:F0} MiB, "
            + $"PyTorch {Median(theirs) / 1024:F0} MiB; ratio {Median(ours) / Median(theirs):F2}");
    }

    /// <summary>Trains, and prints the peak of this process's resident memory in KiB.</summary>
    public static int RunPeer(string folder)
    {
        RunData data = RunData.From(DataLoader.Load<float>(new IdxSpec(s_train, s_test) { Scaling = new Scaling { Scale = 255 } }, folder, 1));
        RunSettings settings = RandomRows.Settings([784, 256, 128, 10], [1, 1, 1], new TrainingSettings(2, 64));
        new ThreadsEngine().Run(new RunRequest { Settings = settings, Data = data }, Quiet.Instance, CancellationToken.None);
        string peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        Console.WriteLine(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        return 0;
    }

    /// <summary>Prints the time from the start of `disttrain train` to its first logged step and to its end's first epoch.</summary>
    /// <param name="rounds">Starts.</param>
    /// <param name="program">The built program.</param>
    /// <param name="experiment">Experiment file; null for the preset that is trained without one.</param>
    public static void Startup(int rounds, string program, string? experiment)
    {
        List<double> seconds = [];
        for (int round = 0; round < rounds; round++)
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-startup-");
            string metrics = Path.Combine(folder.FullName, "run", "metrics.jsonl");
            ProcessStartInfo start = new(program) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in (string[])["train", .. experiment is null ? [] : (string[])[experiment], "--out", Path.Combine(folder.FullName, "run"), "--set", "training.epochs=1"])
            {
                start.ArgumentList.Add(argument);
            }

            long began = Stopwatch.GetTimestamp();
            using Process process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, line) => Console.Error.Write(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            while (!process.HasExited && !(File.Exists(metrics) && new FileInfo(metrics).Length > 0))
            {
                Wait(TimeSpan.FromMilliseconds(1));
            }

            seconds.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            process.Kill();
            process.WaitForExit();
            folder.Delete(recursive: true);
        }

        Console.WriteLine($"from the start of the process to the first committed step in metrics.jsonl: median {Median(seconds):F3} s ({seconds.Min():F3} to {seconds.Max():F3})");
    }

    /// <summary>Prints the processor time that the processes of a run use while one of its workers is stopped.</summary>
    public static void Idle(int seconds)
    {
        RunRequest request = new()
        {
            Settings = WaitingSettings(),
            Data = RandomRows.Data(6_400, 784, 10),
            Experiment = Waiting,
            Workers = 2,
        };
        StepWaiter waiter = new();
        using ProcessesRun run = new(request, waiter, ChildProgram.Managed(typeof(FootprintBenchmark).Assembly.Location), TimeProvider.System, TimeSpan.FromMinutes(5));
        waiter.AtStep = () =>
        {
            (string Name, int Id)[] living = [.. run.Living];
            int stopped = living.Single(process => process.Name == "worker-1").Id;
            Signal(stopped, "-STOP");
            (string Name, int Id)[] all = [.. living.Where(process => process.Id != stopped), ("parent", Environment.ProcessId)];
            foreach (int settling in (int[])[1, 120])
            {
                // What comes again and again, such as a sign of life every three seconds, is compiled once more after thirty times; that is over by the second time.
                Wait(TimeSpan.FromSeconds(settling));
                Dictionary<string, double>[] before = [.. all.Select(process => Processor(process.Id))];
                Wait(TimeSpan.FromSeconds(seconds));
                double[] used = [.. all.Select((process, i) => Processor(process.Id).Sum(thread => thread.Value - before[i].GetValueOrDefault(thread.Key)))];
                Console.WriteLine(
                    $"a worker stopped, {settling} s later: {all.Length} processes used {1e3 * used.Sum():F0} ms of processor time in {seconds} s, {100 * used.Sum() / seconds:F2} % of a core: "
                    + string.Join(", ", all.Select((process, i) => $"{process.Name} {1e3 * used[i]:F0} ms")));
            }

            Signal(stopped, "-CONT");
        };
        run.ToEnd(CancellationToken.None);
    }

    /// <summary>A child's reading of the waiting run.</summary>
    public static ChildExperiment ReadWaiting() => new(WaitingSettings(), () => RandomRows.Data(6_400, 784, 10), _ => null, []);

    private static RunSettings WaitingSettings() => RandomRows.Settings([784, 128, 10], [1, 1], new TrainingSettings(10, 64)) with
    {
        Replicas = 2,
        Durability = Durability.Memory,
    };

    private static string[] OwnProgram() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(FootprintBenchmark).Assembly.Location] : [];

    private static void Signal(int process, string signal)
    {
        using Process kill = Process.Start("kill", [signal, process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static void Wait(TimeSpan time)
    {
        using ManualResetEventSlim never = new();
        never.Wait(time);
    }

    /// <summary>Seconds of each thread of a process: the process's own figure counts in hundredths of a second.</summary>
    private static Dictionary<string, double> Processor(int id) => Directory.GetDirectories($"/proc/{id}/task").ToDictionary(
        thread => thread, thread => double.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture) / 1e9);

    private static double Output(string program, string[] arguments)
    {
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (string variable in start.Environment.Keys.Where(one => one.StartsWith("OPENBLAS_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(variable);
        }

        using Process process = Process.Start(start)!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.TryParse(text, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class StepWaiter : IRunObserver
    {
        public Action AtStep { get; set; } = () => { };

        public void OnStep(in StepProgress step)
        {
            if (step.Step == 200)
            {
                AtStep();
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
