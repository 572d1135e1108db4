using System.Text;
using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Telemetry;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tracing;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Runs;

/// <summary>Trains from one seed, or from several and keeps the best, and writes what a run folder holds.</summary>
internal sealed class TrainingSession(PreparedRun run, RunFolder folder, RunDisplay display, CommandHost host)
{
    private const int LockTriesMax = 10;

    private static readonly TimeSpan LockEvery = TimeSpan.FromMilliseconds(20);

    private readonly Experiment _experiment = run.Experiment;

    /// <summary>Whether to write what the run spends its time on.</summary>
    public bool Traces { get; init; }

    /// <summary>Sends metrics and traces to a collector; null for none.</summary>
    public OtlpExport? Otlp { get; init; }

    /// <summary>Whether to measure the health of layers at snapshots.</summary>
    public bool MeasuresHealth { get; init; }

    /// <summary>Shows the run from within; null for nobody.</summary>
    public ILiveRun? Live { get; init; }

    /// <summary>
    /// Runs to the end and writes model and summary. Throws <see cref="IOException"/> when the folder cannot be written any more.
    /// </summary>
    /// <param name="resume">Whether to go on from the folder's snapshots.</param>
    public RunSummary Run(bool resume)
    {
        using FileStream running = Lock();
        if (resume)
        {
            RequireSnapshots();
        }

        RunSummary? earlier = resume ? RunSummary.ReadIfWhole(folder.SummaryFile, _ => { }) : null;
        KeptFiles before = KeptFiles.Of(folder.SummaryFile, folder.ExperimentFile, folder.DataFile, folder.SettingsFile);
        Begin(before);
        RunSummary summary;
        try
        {
            summary = _experiment.Restarts == 1
                ? RunSeed(0, folder.JournalFolder, folder.ModelFile, resume)
                : RunSeeds(resume);
        }
        catch (Exception refused) when (refused is InvalidInputException or OperationCanceledException)
        {
            // Only the engine knows all that a run needs; where it refuses, a resumed one is still what it was, and a new one never was.
            if (resume)
            {
                before.PutBack();
            }
            else if (_experiment.Restarts == 1 && !HasSteps())
            {
                folder.Clear();
            }

            throw;
        }

        if (earlier is { Status: RunStatus.Completed } && summary.Status == RunStatus.Failed && summary.Steps <= earlier.Steps)
        {
            // Nothing was added to a run that had ended well, and its results still hold.
            before.PutBack();
            return summary;
        }

        Write(folder.SummaryFile, summary.ToJson());
        return summary;
    }

    /// <summary>Writes what the run is.</summary>
    private void Begin(KeptFiles before)
    {
        try
        {
            // A summary speaks for a run that has ended; if this one is killed, the next resume must not take it for finished.
            File.Delete(folder.SummaryFile);
            Write(folder.DataFile, run.Data.Record.ToJson());
            string comment =
                $"Every setting of the run, written by disttrain.\nTo go on where it stopped: disttrain train --resume "
                + $"{folder.Shown}";
            string settings = ExperimentWriter.Write(_experiment, comment);
            DurableFiles.CreateFolder(folder.JournalFolder);
            Write(folder.SettingsFile, settings);
            Write(folder.ExperimentFile, settings);
            if (OutlastsPower)
            {
                DurableFiles.SyncName(folder.FullPath);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            before.PutBack();
            throw;
        }
    }

    /// <summary>Whether anything may have been committed, which nobody but the user deletes.</summary>
    private bool HasSteps() =>
        (File.Exists(folder.MetricsFile) && new FileInfo(folder.MetricsFile).Length > 0)
        || Journal.HoldsAnything(folder.JournalFolder);

    private bool OutlastsPower => _experiment.Settings.Durability == Durability.Power;

    /// <summary>A log that outlasts the loss of power is of no use without the experiment that it belongs to; what ends a run, its model among it, is synced with the summary's folder.</summary>
    private void Write(string path, string text)
    {
        if (OutlastsPower)
        {
            DurableFiles.WriteWhole(path, Encoding.UTF8.GetBytes(text));
        }
        else
        {
            RunFolder.WriteWhole(path, text);
        }
    }

    /// <summary>
    /// Throws <see cref="InvalidInputException"/> where the snapshots to go on from cannot be read, before anything is written:
    /// engines of several processes find that out when they have begun, and can only fail.
    /// </summary>
    private void RequireSnapshots()
    {
        if (run.Engine.Name == ClusterExperiment.EngineName)
        {
            // Its snapshots are with its nodes.
            return;
        }

        string[] journals = _experiment.Restarts == 1
            ? [folder.JournalFolder]
            : [.. Enumerable.Range(0, _experiment.Restarts).Select(Place).Where(place => Ended(place) is null)];
        foreach (string journal in journals.Where(Directory.Exists))
        {
            _ = host.LastSnapshotStep(journal);
            if (Journal.LastSnapshotStep(journal) is long step)
            {
                _ = Journal.ReadParameters(journal, step);
            }
        }
    }

    /// <summary>Keeps a second process out of the folder for as long as this one trains.</summary>
    private FileStream Lock()
    {
        // A dashboard that looks whether anybody trains here holds the file for a moment.
        for (int tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(
                    folder.RunningFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None,
                        bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (tries < LockTriesMax)
            {
                host.Stop.WaitHandle.WaitOne(LockEvery);
            }
            catch (IOException busy)
            {
                throw new InvalidInputException(
                    $"{folder.Shown}: another disttrain is training in this folder; wait for its end, or stop it", busy);
            }
        }
    }

    private RunSummary RunSeeds(bool resume)
    {
        List<RunSummary> done = [];
        for (int i = 0; i < _experiment.Restarts; i++)
        {
            string place = Place(i), file = Path.Combine(place, "summary.json");
            if (resume && Ended(place) is RunSummary earlier)
            {
                done.Add(earlier);
                continue;
            }

            RunSummary summary = RunSeed(i, place, Path.Combine(place, "model.safetensors"), resume);
            done.Add(summary);
            Write(file, summary.ToJson());
            if (summary.Status is RunStatus.Stopped or RunStatus.Failed)
            {
                return Conclude(done, done.Count - 1);
            }
        }

        return Conclude(done, Best(done));
    }

    /// <summary>The summary of a seed for which there is nothing left to do, else null.</summary>
    private RunSummary? Ended(string place)
    {
        RunSummary? earlier = RunSummary.ReadIfWhole(Path.Combine(place, "summary.json"), _ => { });
        return earlier is { Status: RunStatus.Diverged }
            || (earlier?.Status == RunStatus.Completed && earlier.Epochs >= _experiment.Settings.Training.Epochs)
            ? earlier
            : null;
    }

    private RunSummary Conclude(List<RunSummary> done, int chosen)
    {
        string model = Path.Combine(Place(chosen), "model.safetensors");
        if (File.Exists(model))
        {
            File.Copy(model, folder.ModelFile, overwrite: true);
        }

        return done[chosen] with
        {
            WallSeconds = done.Sum(summary => summary.WallSeconds),
            Seeds = [.. done.Select(summary => new SeedResult(summary.Seed, summary.Status, summary.FinalLoss))],
        };
    }

    /// <summary>The completed one with the smallest final loss; the first wins ties.</summary>
    private static int Best(List<RunSummary> done) => Enumerable.Range(0, done.Count)
        .OrderBy(i => done[i].Status == RunStatus.Completed ? 0 : 1)
        .ThenBy(i => done[i].FinalLoss is double loss && double.IsFinite(loss) ? loss : double.PositiveInfinity)
        .First();

    private string Place(int restart) => Path.Combine(folder.JournalFolder, $"restart-{restart}");

    private RunSummary RunSeed(int restart, string journal, string model, bool resume)
    {
        DurableFiles.CreateFolder(journal);
        if (!resume)
        {
            return RunSeed(restart, journal, model, step: 0);
        }

        long step = host.LastSnapshotStep(journal) ?? 0;
        KeptFiles before = KeptFiles.Of(folder.MetricsFile);
        try
        {
            int epoch = MetricsLog.Truncate(folder.MetricsFile, step, restart);
            return RunSeed(restart, journal, model, step, epoch);
        }
        catch (InvalidInputException)
        {
            before.PutBack();
            throw;
        }
    }

    private RunSummary RunSeed(int restart, string journal, string model, long step, int loggedEpoch = 0)
    {
        bool several = _experiment.Restarts > 1;
        ulong seed = unchecked(_experiment.Settings.Seed + (ulong)restart);
        RunRequest request = run.Request(seed, journal, step);
        ChromeTrace? trace = Traces ? TraceOf(request) : null;
        request = request with { Trace = trace };
        request = Live?.Watch(request) ?? request;
        request = Otlp?.Watch(request) ?? request;
        string title = several ? $"seed {seed} ({restart + 1} of {_experiment.Restarts})" : _experiment.Settings.Name;
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(host.Stop);
        RecordingObserver? recorder = null;
        RunOutcome outcome;
        using (MetricsLog log = new(folder.MetricsFile, several ? restart : null, loggedEpoch))
        {
            using HealthMonitor? health = MeasuresHealth
                ? new HealthMonitor(run.Data.Health(_experiment.Settings.Network, _experiment.Settings.Loss), journal, log)
                : null;
            outcome = display.Show(title, shown =>
            {
                recorder = new RecordingObserver(log, Watched(shown), ended, health);
                return run.Engine.Run(request, recorder, ended.Token);
            });
            health?.End(outcome.Steps, outcome.Parameters.ToDictionary(parameter => parameter.Spec.Name, parameter => parameter.Values));
        }

        if (recorder?.Failure is IOException failure)
        {
            throw new IOException(
                $"{folder.MetricsFile}: cannot be written ({failure.Message}); the run stopped at step {outcome.Steps}", failure);
        }

        if (trace is not null)
        {
            WriteTrace(trace, several ? Path.Combine(journal, "trace.json") : folder.TraceFile);
        }

        if (outcome.Parameters.Count > 0)
        {
            // A run that failed has no parameters to show (what it kept is in the journal), nor has one that counted time only.
            ModelFile.Write(model, outcome.Parameters, request.Settings.Precision);
        }

        return RunSummary.Of(request, run.Engine.Name, outcome);
    }

    private IRunObserver Watched(IRunObserver shown)
    {
        IRunObserver live = Live?.Watch(shown) ?? shown;
        return Otlp?.Watch(live) ?? live;
    }

    private ChromeTrace TraceOf(RunRequest request)
    {
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        int everyActor = plan.Topology.Count;
        int nodes = run.Engine.Name != SimulatedEngine.EngineName ? 1
            : request.Simulation.Nodes == 0 ? everyActor
            : Math.Min(request.Simulation.Nodes, everyActor);
        return new ChromeTrace(plan, nodes);
    }

    private void WriteTrace(ChromeTrace trace, string path)
    {
        using (FileStream file = File.Create(path))
        {
            trace.Write(file);
        }

        if (trace.LeftOut > 0)
        {
            host.Error.WriteLine($"note: trace.json ends early: {Words.Plural(trace.LeftOut, "more event")} would make it too large to look at");
        }
    }
}
