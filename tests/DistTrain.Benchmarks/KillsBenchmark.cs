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
/// it stands what killing everything and starting all of it again from the last snapshot costs.
/// </summary>
internal static class KillsBenchmark
{
    private const int Workers = 2, SnapshotEvery = 100;

    private static readonly IdxFiles Train = new("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz");
    private static readonly IdxFiles Test = new("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz");

    /// <summary>A child's reading of the experiment: its epochs, durability and folder.</summary>
    public static ChildExperiment Read(string text)
    {
        string[] parts = text.Split(';', 3);
        RunSettings settings = Settings(int.Parse(parts[0], CultureInfo.InvariantCulture), Enum.Parse<Durability>(parts[1]));
        return new ChildExperiment(settings, () => Load(parts[2]), _ => null, []);
    }

    /// <summary>Prints the figures.</summary>
    /// <param name="folder">Folder of the four files of Fashion-MNIST.</param>
    /// <param name="kills">Processes to kill.</param>
    /// <param name="epochs">Epochs of the run.</param>
    /// <param name="restarts">Times that everything is killed and started again from the last snapshot.</param>
    /// <returns>0; 1 when weights differ or a committed step was lost.</returns>
    public static int Run(string folder, int kills, int epochs, int restarts)
    {
        RunRequest request = Request(folder, epochs, Durability.Step);
        Killer none = new([]);
        (RunOutcome undisturbed, _) = Once(request, none);
        Console.WriteLine($"784-128-10, batch 64, float32, {undisturbed.Steps} steps, {Workers} workers, durability step, a snapshot every {SnapshotEvery} steps");
        Killer killer = new(Spread(kills, undisturbed.Steps));
        (RunOutcome disturbed, long again) = Once(request, killer);
        bool equal = AreEqual(undisturbed, disturbed);
        Console.WriteLine($"undisturbed: {undisturbed.Wall.TotalSeconds:F1} s; with {killer.Kills} kills (SIGKILL): {disturbed.Wall.TotalSeconds:F1} s, {disturbed.Status} {disturbed.Reason}");
        Console.WriteLine($"weights {(equal ? "equal" : "DIFFER")}; committed steps that were lost and committed again: {again}; uncommitted steps redone: {disturbed.StepsRedone}");
        foreach (IGrouping<string, (string Role, double Seconds)> role in killer.Recoveries.GroupBy(recovery => recovery.Role).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Console.WriteLine($"{role.Key,-18} {role.Count(),3} kills; from the kill to the next committed step: median {Median(role.Select(r => r.Seconds)):F3} s");
        }

        Console.WriteLine(
            $"all                {killer.Recoveries.Count,3} kills; from the kill to the next committed step: median {Median(killer.Recoveries.Select(r => r.Seconds)):F3} s, "
            + $"longest {killer.Recoveries.Select(r => r.Seconds).DefaultIfEmpty(double.NaN).Max():F3} s");
        bool equalToo = restarts == 0 || RestartEverything(folder, epochs, restarts, undisturbed);
        return equal && equalToo && again == 0 && killer.Recoveries.Count == kills ? 0 : 1;
    }

    /// <summary>
    /// What a launcher does that knows of checkpoints only: all processes are killed, and all are started again from the last snapshot. The time counts from the kill
    /// to the first step that had not been committed before.
    /// </summary>
    private static bool RestartEverything(string folder, int epochs, int restarts, RunOutcome undisturbed)
    {
        DirectoryInfo journal = Directory.CreateTempSubdirectory("disttrain-kills-");
        try
        {
            RunRequest request = Request(folder, epochs, Durability.Memory) with { JournalFolder = journal.FullName };
            RandomStream random = new(1, RandomPurpose.Faults, 1);
            List<double> seconds = [], recomputed = [];
            long[] steps = [.. Spread(restarts, undisturbed.Steps).Select((step, kill) => step + random.Below(kill, SnapshotEvery))];
            long reached = 0, killedAt = 0;
            foreach (long step in steps)
            {
                Watcher watcher = new(reached, step);
                reached = UntilKilled(request with { ResumeFromStep = Journal.LastSnapshotStep(journal.FullName) ?? 0 }, watcher);
                Note(watcher);
                killedAt = Stopwatch.GetTimestamp();
                recomputed.Add(reached - (Journal.LastSnapshotStep(journal.FullName) ?? 0));
            }

            Watcher last = new(reached, long.MaxValue);
            using ProcessesRun run = NewRun(request with { ResumeFromStep = Journal.LastSnapshotStep(journal.FullName) ?? 0 }, last);
            RunOutcome outcome = run.ToEnd(CancellationToken.None);
            Note(last);
            bool equal = AreEqual(undisturbed, outcome);
            Console.WriteLine(
                $"everything killed and started again from the last snapshot (durability memory), {restarts} times: from the kill to the first new committed step: "
                + $"median {Median(seconds):F3} s, longest {seconds.Max():F3} s; steps computed again: median {Median(recomputed):F0}; weights {(equal ? "equal" : "DIFFER")}");
            return equal;

            void Note(Watcher watcher)
            {
                if (killedAt > 0)
                {
                    seconds.Add(Stopwatch.GetElapsedTime(killedAt, watcher.NewAt).TotalSeconds);
                }
            }
        }
        finally
        {
            journal.Delete(recursive: true);
        }
    }

    private static long UntilKilled(RunRequest request, Watcher watcher)
    {
        using ProcessesRun run = NewRun(request, watcher);
        watcher.Kill = () =>
        {
            foreach ((_, int id) in run.Living)
            {
                using Process process = Process.GetProcessById(id);
                process.Kill();
            }
        };
        try
        {
            run.ToEnd(CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // The parent ends with them.
        }

        return watcher.Last;
    }

    private static RunRequest Request(string folder, int epochs, Durability durability)
    {
        string full = Path.GetFullPath(folder);
        return new RunRequest
        {
            Settings = Settings(epochs, durability),
            Data = Load(full),
            Experiment = string.Create(CultureInfo.InvariantCulture, $"{epochs};{durability};{full}"),
            Workers = Workers,
        };
    }

    private static long[] Spread(int count, long steps) => [.. Enumerable.Range(0, count).Select(kill => 20 + ((long)kill * (steps - 40) / count))];

    private static bool AreEqual(RunOutcome one, RunOutcome other) =>
        one.Parameters.Count == other.Parameters.Count
        && one.Parameters.Zip(other.Parameters).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values));

    private static ProcessesRun NewRun(RunRequest request, IRunObserver observer) =>
        new(request, observer, ChildProgram.Managed(typeof(KillsBenchmark).Assembly.Location), TimeProvider.System);

    private static (RunOutcome Outcome, long CommittedAgain) Once(RunRequest request, Killer killer)
    {
        using ProcessesRun run = NewRun(request, killer);
        killer.Run = run;
        run.OnCommit = killer.OnCommit;
        RunOutcome outcome = run.ToEnd(CancellationToken.None);
        return (outcome, run.StepsCommittedAgain);
    }

    private static RunData Load(string folder) =>
        RunData.From(DataLoader.Load<float>(new IdxSpec(Train, Test) { Scaling = new Scaling { Scale = 255 } }, folder, 1));

    private static RunSettings Settings(int epochs, Durability durability) => new()
    {
        Name = "fashion",
        Network = new NetworkSpec(784, [new DenseSpec(128, ActivationKind.Relu), new DenseSpec(10, ActivationKind.Softmax)]),
        Loss = LossKind.CrossEntropy,
        Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.02) { Momentum = 0.9 },
        Training = new TrainingSettings(epochs, 64),
        Stages = [1, 1],
        CheckpointEverySteps = SnapshotEvery,
        Durability = durability,
    };

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Kills a random process at each of the given steps, and takes the time until a step is committed again.</summary>
    private sealed class Killer(long[] steps) : IRunObserver
    {
        private readonly RandomStream _random = new(1, RandomPurpose.Faults, 0);
        private string? _killed;
        private long _killedAt;
        private bool _recovered;

        public ProcessesRun? Run { get; set; }

        public int Kills { get; private set; }

        public List<(string Role, double Seconds)> Recoveries { get; } = [];

        public void OnStep(in StepProgress step)
        {
            if (_killed is null && Kills < steps.Length && step.Step >= steps[Kills])
            {
                IReadOnlyList<(string Name, int Id)> living = Run!.Living;
                (string name, int id) = living[_random.Below(Kills, living.Count)];
                Kills++;
                (_killed, _recovered) = (name, false);
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

        public void OnCommit()
        {
            if (_killed is not null && _recovered)
            {
                Recoveries.Add((_killed, Stopwatch.GetElapsedTime(_killedAt).TotalSeconds));
                _killed = null;
            }
        }
    }

    /// <summary>Takes the time of the first step beyond a known one, and ends the run at another.</summary>
    private sealed class Watcher(long known, long killAt) : IRunObserver
    {
        public Action? Kill { get; set; }

        public long NewAt { get; private set; }

        public long Last { get; private set; }

        public void OnStep(in StepProgress step)
        {
            NewAt = NewAt == 0 && step.Step > known ? Stopwatch.GetTimestamp() : NewAt;
            Last = step.Step;
            if (step.Step > known && step.Step >= killAt)
            {
                Kill!();
                throw new OperationCanceledException();
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
