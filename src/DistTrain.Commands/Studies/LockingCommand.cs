using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics;

namespace DistTrain.Commands.Studies;

/// <summary>What <c>study locking</c> was given.</summary>
internal sealed record LockingOptions(string Study, string? Out, bool Json);

/// <summary>The verb <c>study locking</c>: everything is read and checked before anything runs.</summary>
internal sealed class LockingCommand(CommandHost host, IReadOnlyList<IEngine> engines)
{
    /// <summary>Runs a study; returns the exit code.</summary>
    public int Execute(LockingOptions options)
    {
        IEngine engine = engines.FirstOrDefault(candidate => candidate.Name == SimulatedEngine.EngineName)
            ?? throw new InvalidInputException($"disttrain study: this program has no engine '{SimulatedEngine.EngineName}', on which studies run");
        LockingStudy study = LockingStudyReader.Read(options.Study, host.WorkingFolder);
        IReadOnlyList<StudyCase> cases = new StudyCases(study, engine, host).Build();
        if (cases.All(one => one.Request is null))
        {
            throw new InvalidInputException(string.Join('\n', cases.Select(one => $"{options.Study}: {one.Title}: {one.Refusal}")));
        }

        RunFolder folder = RunFolder.Create(options.Out, study.Name, host.WorkingFolder, host.Clock);
        IReadOnlyList<StudyRun> runs = new StudyRunner(engine, host, options.Json).Run(cases);
        IReadOnlyList<StudyComparison> groups = StudyComparison.Of(runs, study.At);
        string json = StudyFiles.Json(study.Name, groups);
        File.Copy(Path.GetFullPath(options.Study, host.WorkingFolder), Path.Combine(folder.FullPath, "study.yaml"));
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "study.json"), json);
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "results.csv"), StudyFiles.Results(groups));
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "layers.csv"), StudyFiles.Layers(groups));
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "curves.csv"), StudyFiles.Curves(groups));
        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "timelines.json"), StudyTimelines.Json(groups));
        string page = FolderReport.Write(host, folder);
        if (options.Json)
        {
            host.Out.Write(json);
        }
        else
        {
            new StudyReport(host).Print(groups);
            host.Out.WriteLine($"{folder.Shown} holds study.json, results.csv, layers.csv, curves.csv, timelines.json{page}.");
        }

        if (host.Stop.IsCancellationRequested)
        {
            host.Error.WriteLine($"disttrain study: stopped; {runs.Count(run => run.Status == "completed")} of {runs.Count} runs are complete");
        }

        return runs.Any(run => run.Status == "failed") ? ExitCodes.Failed : ExitCodes.Done;
    }
}
