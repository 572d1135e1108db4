using System.Diagnostics;
using System.Globalization;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Engines.Sequential;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Verbs;

/// <summary>The <c>bench</c> verb: how many steps a second an experiment makes here, by actors and by the plain loop. Writes nothing.</summary>
internal sealed class BenchCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    /// <summary>Seconds of a measurement: default, least and most.</summary>
    public const double SecondsDefault = 2, SecondsMin = 0.05, SecondsMax = 3600;

    // What stands for an engine where there is none.
    private const string PlainLoop = "sequential";

    // Steps in a stretch, of whose times a low quantile counts: what else the machine does only ever adds to them.
    private const int Stretch = 10;
    private const double Quantile = 0.25;

    /// <summary>Measures and prints; returns the exit code.</summary>
    /// <param name="experiment">File or preset; null for the default preset.</param>
    /// <param name="set">Changed settings.</param>
    /// <param name="seconds">Seconds of each measurement, after as long to warm up.</param>
    /// <param name="json">Whether to print JSON and nothing else.</param>
    public int Execute(string? experiment, IReadOnlyList<string> set, double seconds, bool json)
    {
        LoadedExperiment loaded = ExperimentLoader.Load(
            experiment ?? PresetCatalog.Default, new Overrides(set, ThreadsEngine.EngineName), host.WorkingFolder, [.. engines.Select(engine => engine.Name)]);
        PreparedRun run = PreparedRun.Prepare(loaded, engines, host.Stop);

        // What faults cost is what study faults measures.
        RunRequest request = run.Request(run.Experiment.Settings.Seed, journal: null, resumeFromStep: 0) with { Faults = [], Byzantine = [] };
        int threads = request.ComputeThreads > 0 ? request.ComputeThreads : Environment.ProcessorCount;
        List<Line> lines = [];
        if (SequentialTrainer.Refuses(request) is null)
        {
            lines.Add(Measure("plain loop", PlainLoop, 1, seconds, json, (observer, stop) => SequentialTrainer.Run(request, observer, time: null, stop)));
        }

        foreach (int count in threads > 1 ? (int[])[1, threads] : [1])
        {
            RunRequest own = request with { ComputeThreads = count };
            lines.Add(Measure(
                $"actors on {Words.Plural(count, "thread")}", ThreadsEngine.EngineName, count, seconds, json, (observer, stop) => run.Engine.Run(own, observer, stop)));
        }

        int rows = Math.Min(request.Settings.Training.BatchSize, request.Data.TrainRows);
        if (json)
        {
            host.Out.Write(Json(request.Settings, rows, lines));
        }
        else
        {
            Print(request.Settings, rows, lines);
        }

        return ExitCodes.Done;
    }

    private Line Measure(string label, string engine, int threads, double seconds, bool json, Action<IRunObserver, CancellationToken> train)
    {
        if (!json)
        {
            host.Error.WriteLine($"measuring {label}");
        }

        // Kernels and state machines are compiled to their final form while they run.
        Repeat(train, seconds);
        return new Line(label, engine, threads, Repeat(train, seconds));
    }

    /// <summary>Trains again and again for so long; seconds of a step.</summary>
    private double Repeat(Action<IRunObserver, CancellationToken> train, double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        double fastest = double.PositiveInfinity;
        double left;
        while ((left = seconds - Stopwatch.GetElapsedTime(start).TotalSeconds) > 0 || double.IsInfinity(fastest))
        {
            StepClock clock = new();
            using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(host.Stop);

            // A step may take longer than a measurement; then two of them are waited for.
            FirstSteps observer = new(clock, stop, Stopwatch.GetTimestamp() + (long)(Math.Max(0, left) * Stopwatch.Frequency));
            train(observer, stop.Token);
            host.Stop.ThrowIfCancellationRequested();
            double step = clock.Quantile(Quantile, Stretch);
            fastest = step > 0 ? Math.Min(fastest, step) : observer.WholeRun;
        }

        return fastest;
    }

    private void Print(RunSettings settings, int rows, List<Line> lines)
    {
        host.Out.WriteLine(
            $"{settings.Name}: {Words.Network(settings.Network)}, {Names.Precision.NameOf(settings.Precision)}, batch {Words.Count(rows)}, {settings.Method.Name}");
        host.Out.WriteLine($"  {"",-24}{"a step",12}{"steps/s",14}{"rows/s",16}{(lines[0].Engine == PlainLoop ? "of the plain loop" : ""),20}");
        foreach (Line line in lines)
        {
            string share = lines[0].Engine == PlainLoop ? Text($"{lines[0].StepSeconds / line.StepSeconds:F2}") : "";
            host.Out.WriteLine($"  {line.Label,-24}{Time(line.StepSeconds),12}{Words.Count(1 / line.StepSeconds),14}{Words.Count(rows / line.StepSeconds),16}{share,20}");
        }
    }

    private static string Json(RunSettings settings, int rows, List<Line> lines)
    {
        return JsonText.Object(json =>
        {
            json.WriteString("name", settings.Name);
            json.WriteString("method", settings.Method.Name);
            json.WriteString("precision", Names.Precision.NameOf(settings.Precision));
            json.WriteNumber("rows_per_step", rows);
            json.WriteStartArray("measured");
            foreach (Line line in lines)
            {
                json.WriteStartObject();
                json.WriteString("engine", line.Engine);
                json.WriteNumber("compute_threads", line.Threads);
                json.WriteNumber("seconds_per_step", line.StepSeconds);
                json.WriteNumber("samples_per_second", rows / line.StepSeconds);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    private static string Time(double seconds) => seconds < 1e-3 ? Text($"{1e6 * seconds:F2} µs") : Text($"{1e3 * seconds:F2} ms");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Line(string Label, string Engine, int Threads, double StepSeconds);

    /// <summary>Ends a run when its time is over and it has made enough steps to tell.</summary>
    private sealed class FirstSteps(StepClock clock, CancellationTokenSource stop, long end) : IRunObserver
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private int _steps;

        /// <summary>Seconds of a step of a run too short for a clock, its start and end included.</summary>
        public double WholeRun => Stopwatch.GetElapsedTime(_start).TotalSeconds / Math.Max(1, _steps);

        public void OnStep(in StepProgress step)
        {
            clock.OnStep(step);
            if (++_steps > 1 && Stopwatch.GetTimestamp() > end)
            {
                stop.Cancel();
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
