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
/// What a killed process costs: Fashion-MNIST in child processes, of which one after the other is killed (SIGKILL) at random steps. Beside
/// it stands what starting the whole run again from its last snapshot costs.
/// </summary>
internal static class KillsBenchmark
{
    private static readonly IdxFiles Train = new("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    private static readonly IdxFiles Test = new("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");

    /// <summary>A child's reading of the experiment: its epochs, snapshot interval and folder.</summary>
    public static ChildExperiment Read(string text)
    {
        string[] parts = text.Split(';', 3);
        (int epochs, int every) = (int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
        return new ChildExperiment(Settings(epochs, every), () => Load(parts[2]), _ => null, []);
    }

    /// <summary>Prints the figures.</summary>
    /// <param name="folder">Folder of the four files of Fashion-MNIST.</param>
    /// <param name="kills">Processes to kill.</param>
    /// <param name="epochs">Epochs of the run.</param>
    public static void Run(string folder, int kills, int epochs)
    {
        const int Workers = 2, SnapshotEvery = 100;
        string full = Path.GetFullPath(folder);
        RunRequest request = new()
        {
            Settings = Settings(epochs, SnapshotEvery),
            Data = Load(full),
            Experiment = string.Create(CultureInfo.InvariantCulture, $"{epochs};{SnapshotEvery};{full}"),
            Workers = Workers,
        };
        Killer none = new([]);
        RunOutcome undisturbed = Once(request, none);
        long[] steps = [.. Enumerable.Range(0, kills).Select(kill => 20 + ((long)kill * (undisturbed.Steps - 40) / kills))];
        Killer killer = new(steps);
        RunOutcome disturbed = Once(request, killer);
        bool equal = undisturbed.Parameters.Zip(disturbed.Parameters).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values));
        Console.WriteLine($"784-128-10, batch 64, float32, {undisturbed.Steps} steps, {Workers} workers, a snapshot every {SnapshotEvery} steps");
        Console.WriteLine($"undisturbed: {undisturbed.Wall.TotalSeconds:F1} s; with {killer.Kills} kills: {disturbed.Wall.TotalSeconds:F1} s, {disturbed.StepsRedone} steps redone, {disturbed.Status} {disturbed.Reason}");
        Console.WriteLine($"weights {(equal ? "equal" : "DIFFER")}");
        foreach (IGrouping<string, (string Role, double Next, double New)> role in killer.Recoveries.GroupBy(recovery => recovery.Role).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Console.WriteLine(
                $"{role.Key,-18} {role.Count(),3} kills; from the kill to the next committed step: median {Median(role.Select(r => r.Next)):F3} s; "
                + $"to the next step that had not been committed before: median {Median(role.Select(r => r.New)):F3} s");
        }

        Console.WriteLine($"all {killer.Recoveries.Count}: to the next committed step, median {Median(killer.Recoveries.Select(r => r.Next)):F3} s");
        Console.WriteLine($"starting everything again: {none.FirstStepSeconds:F3} s to the first step, without the parent's own start and data");
    }

    private static RunOutcome Once(RunRequest request, Killer killer)
    {
        using ProcessesRun run = new(request, killer, ChildProgram.Managed(typeof(KillsBenchmark).Assembly.Location), TimeProvider.System);
        killer.Run = run;
        run.OnCommit = killer.OnCommit;
        return run.ToEnd(CancellationToken.None);
    }

    private static RunData Load(string folder) =>
        RunData.From(DataLoader.Load<float>(new IdxSpec(Train, Test) { Scaling = new Scaling { Scale = 255 } }, folder, 1));

    private static RunSettings Settings(int epochs, int every) => new()
    {
        Name = "fashion",
        Network = new NetworkSpec(784, [new DenseSpec(128, ActivationKind.Relu), new DenseSpec(10, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.02) { Momentum = 0.9 },
        Training = new TrainingSettings(epochs, 64),
        Stages = [1, 1],
        CheckpointEverySteps = every,
    };

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Kills a random process at each of the given steps, and takes the time until steps are committed again.</summary>
    private sealed class Killer(long[] steps) : IRunObserver
    {
        private readonly RandomStream _random = new(1, RandomPurpose.Faults, 0);
        private string? _killed;
        private long _killedAt, _nextAt;
        private bool _recovered;

        public ProcessesRun? Run { get; set; }

        public int Kills { get; private set; }

        public double FirstStepSeconds { get; private set; }

        public List<(string Role, double Next, double New)> Recoveries { get; } = [];

        public void OnStep(in StepProgress step)
        {
            FirstStepSeconds = FirstStepSeconds == 0 ? step.Elapsed.TotalSeconds : FirstStepSeconds;
            if (_killed is not null && _nextAt > 0)
            {
                Recoveries.Add((_killed, Seconds(_nextAt), Seconds(Stopwatch.GetTimestamp())));
                _killed = null;
            }

            if (_killed is null && Kills < steps.Length && step.Step >= steps[Kills])
            {
                IReadOnlyList<(string Name, int Id)> living = Run!.Living;
                (string name, int id) = living[_random.Below(Kills, living.Count)];
                Kills++;
                (_killed, _recovered, _nextAt) = (name, false, 0);
                using Process process = Process.GetProcessById(id);
                _killedAt = Stopwatch.GetTimestamp();
                process.Kill();
            }
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        /// <summary>What was under way at the kill may still be committed; what counts comes after the recovery.</summary>
        public void OnNotice(string text) => _recovered |= text.StartsWith("recovered", StringComparison.Ordinal);

        public void OnCommit() => _nextAt = _recovered && _nextAt == 0 ? Stopwatch.GetTimestamp() : _nextAt;

        private double Seconds(long timestamp) => Stopwatch.GetElapsedTime(_killedAt, timestamp).TotalSeconds;
    }
}
