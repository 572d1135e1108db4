using DistTrain.Commands.Experiments;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>A run folder's experiment with its data and weights, for the verbs that come after training.</summary>
internal sealed record TrainedModel(
    RunFolder Folder, Experiment Experiment, ExperimentData Data, IReadOnlyDictionary<string, byte[]> Weights)
{
    /// <summary>
    /// Loads everything. Throws <see cref="InvalidInputException"/> that names what is missing or does not fit.
    /// </summary>
    public static TrainedModel Load(string run, CommandHost host)
    {
        RunFolder folder = RequireModel(run, host);
        LoadedExperiment loaded =
            ExperimentLoader.Load(Path.Combine(run, "experiment.yaml"), Overrides.None, host.WorkingFolder, engines: null);
        (ExperimentData data, Experiment experiment) = PreparedRun.LoadData(loaded, host.Stop);
        return new TrainedModel(
            folder,
            experiment,
            data,
            ModelFile.Read(folder.ModelFile, experiment.Settings.Network, experiment.Settings.Precision));
    }

    /// <summary>The run's folder, which must hold a model.</summary>
    public static RunFolder RequireModel(string run, CommandHost host)
    {
        RunFolder folder = RunFolder.Open(run, host.WorkingFolder);
        return File.Exists(folder.ModelFile)
            ? folder
            : throw new InvalidInputException(
                $"{run}: there is no model.safetensors in this run folder, so training has not come to an end; "
                + $"go on with disttrain train --resume {run}");
    }
}
