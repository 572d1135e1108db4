using System.Globalization;
using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Experiments;
using DistTrain.Commands.Papers;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Threads;
using DistTrain.Numerics;
using DistTrain.Protocol.Settings;
using Spectre.Console;

namespace DistTrain.Commands.Studies.Faults;

/// <summary>What <c>study faults</c> was given.</summary>
internal sealed record FaultStudyOptions(string Experiment, Overrides Overrides, string? Out, bool Json);

/// <summary>The verb <c>study faults</c>: an experiment without its faults and with them.</summary>
internal sealed class FaultStudyCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    /// <summary>Runs the study; returns the exit code.</summary>
    public int Execute(FaultStudyOptions options)
    {
        LoadedExperiment loaded = ExperimentLoader.Load(
            options.Experiment, options.Overrides, host.WorkingFolder, [.. engines.Select(engine => engine.Name)]);
        if (loaded.Experiment.Faults.Count + loaded.Experiment.Byzantine.Count == 0)
        {
            throw new InvalidInputException(
                $"{options.Experiment}: faults: nothing goes wrong in this experiment; expected a list such as [{{ at: step 120, crash: layer-1 }}]");
        }

        PreparedRun prepared = PreparedRun.Prepare(loaded, engines, host.Stop);
        ProblemList problems = new();
        ExperimentChecks.Add(ExperimentChecks.FaultsBeyondTheEnd(prepared.Experiment, prepared.Data.Run), loaded.Root, problems);
        problems.ThrowIfAny();
        prepared = prepared.OnThisMachine(host);
        RunFolder folder = RunFolder.Create(options.Out, loaded.Experiment.Settings.Name, host.WorkingFolder, host.Clock);
        RunRequest faulty = prepared.Request(prepared.Experiment.Settings.Seed, journal: null, resumeFromStep: 0);
        FaultComparison study;
        try
        {
            study = Compare(prepared, faulty, folder, options.Json);
        }
        catch (InvalidInputException)
        {
            // Only the engine knows all that a run needs; where it refuses, nothing has come of the study.
            folder.Clear();
            throw;
        }

        if (host.Stop.IsCancellationRequested)
        {
            host.Error.WriteLine("disttrain study: stopped; nothing can be compared");
            return ExitCodes.Done;
        }

        string json = FaultStudyFiles.Json(study);
        RunFolder.WriteWhole(folder.ExperimentFile, ExperimentWriter.Write(prepared.Experiment, "Every setting of the study, written by disttrain."));
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "study.json"), json);
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "faults.csv"), FaultStudyFiles.Csv(study));
        string page = FolderReport.Write(host, folder);
        if (options.Json)
        {
            host.Out.Write(json);
        }
        else
        {
            Print(study);
            host.Out.WriteLine($"{folder.Shown} holds study.json, faults.csv, experiment.yaml{page}.");
        }

        return study.Faulty.Outcome.Status == RunStatus.Failed ? ExitCodes.Failed
            : study.Broken.Count + study.Faulty.NeverBegan.Count > 0 ? ExitCodes.DidNotHold
            : ExitCodes.Done;
    }

    private FaultComparison Compare(PreparedRun prepared, RunRequest faulty, RunFolder folder, bool json)
    {
        // The other engines have a place of their own for a log that nobody resumes from.
        bool needsFolder = prepared.Engine.Name == ThreadsEngine.EngineName && faulty.Settings.Durability != Durability.Memory;
        string? JournalOf(string run) => needsFolder ? Directory.CreateDirectory(Path.Combine(folder.JournalFolder, run)).FullName : null;
        using PaperProgress progress = new(host, json, "study faults: steps");
        int steps = 2 * (int)StepsOf(faulty);
        FaultRun calm = FaultRun.Of(
            faulty with { Faults = [], Byzantine = [], JournalFolder = JournalOf("without-faults") }, prepared.Engine, step => progress.Report((int)step, steps), host.Stop);
        FaultRun among = FaultRun.Of(
            faulty with { JournalFolder = JournalOf("with-faults") }, prepared.Engine, step => progress.Report((steps / 2) + (int)step, steps), host.Stop);
        if (needsFolder)
        {
            Directory.Delete(folder.JournalFolder, recursive: true);
        }

        return new FaultComparison(prepared.Experiment, calm, among);
    }

    private static long StepsOf(RunRequest request)
    {
        int batch = request.Settings.Training.BatchSize;
        return (long)((request.Data.TrainRows + batch - 1) / batch) * request.Settings.Training.Epochs;
    }

    private void Print(FaultComparison study)
    {
        IAnsiConsole console = PaperTerminal.On(host);
        Table faults = PaperTerminal.Table(1, "fault", "at", "next committed step after");
        foreach (FaultBegun fault in study.Faulty.Faults)
        {
            faults.Add(fault.Text, StudyWords.Seconds(fault.At.TotalSeconds), StudyWords.Seconds(fault.Recovery?.TotalSeconds));
        }

        if (study.Faulty.Faults.Count > 0)
        {
            console.Write(faults);
        }

        Table runs = PaperTerminal.Table(1, "run", "steps", "lost", "redone", "recoveries", "time", "rows/s", "loss", "test accuracy");
        foreach ((string name, FaultRun run) in new[] { ("without faults", study.Calm), ("with faults", study.Faulty) })
        {
            runs.Add(
                name,
                StudyWords.Number(run.Outcome.Steps),
                StudyWords.Number(run.StepsLost),
                StudyWords.Number(run.Outcome.StepsRedone),
                StudyWords.Number(run.Outcome.Restarts),
                StudyWords.Seconds(run.Training.TotalSeconds),
                StudyWords.Number(run.Goodput),
                StudyWords.Loss(run.Outcome.FinalLoss),
                StudyWords.Percent(run.Outcome.TestAccuracy));
        }

        console.Write(runs);
        host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"slow-down: {study.SlowDown:0.##} times"));
        string promised = study.MayDiffer is string why ? $" (not promised: {why})" : "";
        host.Out.WriteLine($"final weights equal to the fault-free run's: {(study.Equal ? "yes" : "no")}{promised}");
        foreach (string missed in study.Faulty.NeverBegan)
        {
            host.Out.WriteLine($"never began: {missed}; the run ended after {StudyWords.Seconds(study.Faulty.Training.TotalSeconds)}, with step {study.Faulty.Outcome.Steps}");
        }

        foreach (string broken in study.Broken)
        {
            host.Out.WriteLine($"does not hold: {broken}");
        }
    }
}
