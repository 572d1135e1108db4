using System.Net;
using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Presets;
using DistTrain.Commands.Runs;
using DistTrain.Commands.Telemetry;
using DistTrain.Commands.Terminal;
using DistTrain.Engines;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Verbs;

/// <summary>What the <c>train</c> verb was given.</summary>
internal sealed record TrainOptions(string? Experiment, Overrides Overrides, string? Out, string? Resume, bool Json, bool Trace = false)
{
    /// <summary>Address of an OpenTelemetry collector; null for none.</summary>
    public string? Otlp { get; init; }

    /// <summary>Whether to measure the health of layers.</summary>
    public bool Health { get; init; }

    /// <summary>Whether and where to show the run in a browser while it lasts.</summary>
    public DashboardRequest? Dashboard { get; init; }
}

/// <summary>The <c>train</c> verb: everything is checked before anything is written.</summary>
internal sealed class TrainCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    private readonly string[] _engineNames = [.. engines.Select(engine => engine.Name)];

    /// <summary>Trains; returns the exit code.</summary>
    public int Execute(TrainOptions options)
    {
        if (options.Resume is not null)
        {
            return Resume(options, options.Resume);
        }

        if (options.Dashboard is not null)
        {
            DashboardCommand.Require(host);
        }

        string experiment = options.Experiment ?? PresetCatalog.Default;
        LoadedExperiment loaded = ExperimentLoader.Load(experiment, options.Overrides, host.WorkingFolder, _engineNames);
        PreparedRun run = Prepare(loaded, options).OnThisMachine(host);
        CheckExtras(run, options);
        RunFolder folder = RunFolder.Create(options.Out, run.Experiment.Settings.Name, host.WorkingFolder, host.Clock);
        return Start(WithSnapshots(run, options), folder, options, resume: false);
    }

    private PreparedRun Prepare(LoadedExperiment loaded, TrainOptions options)
    {
        if (options.Overrides.Workers is int workers && loaded.Experiment.Engine != ProcessesEngine.EngineName)
        {
            throw new InvalidInputException(
                $"--workers {workers}: engine {loaded.Experiment.Engine} has no worker processes; expected --engine {ProcessesEngine.EngineName}, or no --workers");
        }

        return PrepareChecked(loaded, options);
    }

    private PreparedRun PrepareChecked(LoadedExperiment loaded, TrainOptions options) =>
        options.Trace && loaded.Experiment.Engine is ProcessesEngine.EngineName or ClusterExperiment.EngineName
            ? throw new InvalidInputException($"--trace: engine {loaded.Experiment.Engine} records no trace; expected --engine threads or simulated, or no --trace")
            : PreparedRun.Prepare(loaded, engines, host.Stop);

    private int Resume(TrainOptions options, string given)
    {
        if (options.Out is not null)
        {
            throw new InvalidInputException("--out: a resumed run goes on in its own folder; give --resume or --out, not both");
        }

        if (options.Dashboard is not null)
        {
            DashboardCommand.Require(host);
        }

        RunFolder folder = RunFolder.Open(given, host.WorkingFolder);
        string shown = Path.Combine(folder.Shown, "experiment.yaml");

        // The folder's experiment may have been edited since the run began, which is asking for a change as an option is.
        LoadedExperiment stored = ExperimentLoader.Load(
            File.Exists(folder.SettingsFile) ? folder.SettingsFile : shown, Overrides.None, host.WorkingFolder, engines: null);
        LoadedExperiment wanted =
            ExperimentLoader.Load(options.Experiment ?? shown, options.Overrides, host.WorkingFolder, _engineNames);
        ResumeChecks.Check(stored.Experiment, wanted.Experiment, folder);
        RunSummary? earlier = RunSummary.ReadIfWhole(folder.SummaryFile, text => host.Error.WriteLine($"note: {text}"));
        if (earlier is { Status: RunStatus.Completed } && !ResumeChecks.IsLonger(stored.Experiment, wanted.Experiment, earlier))
        {
            return Finished(earlier, stored.Experiment, folder, options.Json);
        }

        if (stored.Experiment.Restarts != wanted.Experiment.Restarts && stored.Experiment.Restarts == 1)
        {
            throw new InvalidInputException(
                $"--resume {folder.Shown}: training.restarts: the run has one seed only; start a new run to train from several");
        }

        PreparedRun prepared = Prepare(wanted, options);
        DataRecord.Read(folder.DataFile)?.RequireSame(prepared.Data.Record, prepared.Experiment.Data, $"--resume {folder.Shown}");
        PreparedRun run = prepared.OnThisMachine(host);
        CheckExtras(run, options);
        return Start(WithSnapshots(run, options), folder, options, resume: true);
    }

    /// <summary>Health is measured on snapshots, and wanted after every epoch.</summary>
    private static PreparedRun WithSnapshots(PreparedRun run, TrainOptions options) => !options.Health
        ? run
        : run with { Experiment = run.Experiment with { Settings = run.Experiment.Settings with { CheckpointEachEpoch = true } } };

    /// <summary>Throws <see cref="InvalidInputException"/> where something is asked for besides training that cannot be done.</summary>
    private static void CheckExtras(PreparedRun run, TrainOptions options)
    {
        if (options.Otlp is string collector)
        {
            OtlpExport.AddressOf(collector);
        }

        if (options.Health)
        {
            run.Data.Health(run.Experiment.Settings.Network, run.Experiment.Settings.Loss);
        }
    }

    private int Finished(RunSummary summary, Experiment experiment, RunFolder folder, bool json)
    {
        if (json)
        {
            host.Out.Write(File.ReadAllText(folder.SummaryFile));
            return ExitCodes.Done;
        }

        bool stoppedEarly = ResumeChecks.StoppedEarly(experiment, summary);
        string early = stoppedEarly ? $"; early stopping ended it before its {Words.Plural(experiment.Settings.Training.Epochs, "epoch")}" : "";
        host.Out.WriteLine(
            $"{folder.Shown} is finished: {Words.Plural(summary.Epochs, "epoch")}, {Words.Plural(summary.Steps, "step")}{early}.");
        if (ResumeChecks.SettingToTrainOn(experiment, summary) is string setting)
        {
            host.Out.WriteLine($"To train on: disttrain train --resume {folder.Shown} --set {setting}");
        }

        if (stoppedEarly)
        {
            host.Out.WriteLine("or, to the last epoch whatever the loss does, with --set training.early-stopping=null");
        }

        return ExitCodes.Done;
    }

    private int Start(PreparedRun run, RunFolder folder, TrainOptions options, bool resume)
    {
        bool json = options.Json;
        foreach (string warning in NetworkChecks.Warnings(run.Experiment.Settings.Network))
        {
            host.Error.WriteLine($"note: {warning}");
        }

        foreach (SettingsProblem fault in ExperimentChecks.FaultsBeyondTheEnd(run.Experiment, run.Data.Run))
        {
            host.Error.WriteLine($"note: {fault.Key}: {fault.Message}");
        }

        if (!json)
        {
            RunReport.Print(host, RunReport.Plan(run, folder));
        }

        using IDashboardServer? server = Serve(folder, options);
        using OtlpExport? otlp = options.Otlp is string collector ? new OtlpExport(OtlpExport.AddressOf(collector), run.Experiment.Settings.Name) : null;
        RunSummary summary;
        try
        {
            using ILiveRun? live = server?.Begin(folder.FullPath);
            summary = new TrainingSession(run, folder, RunDisplay.For(host, quiet: json), host) { Traces = options.Trace, MeasuresHealth = options.Health, Live = live, Otlp = otlp }.Run(resume);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The disk failed under a run that had begun well: not the user's input, but a fault.
            host.Error.WriteLine($"disttrain: {failure.Message}");
            return ExitCodes.Failed;
        }

        if (json)
        {
            host.Out.Write(summary.ToJson());
        }
        else
        {
            RunReport.Print(host, RunReport.Result(summary, run, folder));
        }

        if (server is not null && host.Interactive && !json && !host.Stop.IsCancellationRequested)
        {
            host.Out.WriteLine($"The pages stay at {server.Address} until Ctrl-C.");
            host.Stop.WaitHandle.WaitOne();
        }

        return ExitCode(summary.Status);
    }

    /// <summary>Serves the folder that the run's folder is in, so that it can be compared with its neighbours.</summary>
    private IDashboardServer? Serve(RunFolder folder, TrainOptions options)
    {
        if (options.Dashboard is not DashboardRequest asked)
        {
            return null;
        }

        DashboardOptions where = new(
            Path.GetDirectoryName(folder.FullPath) ?? folder.FullPath, IPAddress.Loopback, DashboardCommand.PortOf(asked.Port), asked.Controls);
        IDashboardServer server = DashboardCommand.Require(host).Serve(where);
        DashboardCommand.Announce(options.Json ? host.Error : host.Out, server, where);
        return server;
    }

    private static int ExitCode(RunStatus status) => status switch
    {
        RunStatus.Completed or RunStatus.Stopped => ExitCodes.Done,
        RunStatus.Diverged => ExitCodes.DidNotHold,
        _ => ExitCodes.Failed,
    };
}
