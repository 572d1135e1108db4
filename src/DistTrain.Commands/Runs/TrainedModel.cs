using DistTrain.Commands.Experiments;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>A run folder's experiment with its data and weights, for the verbs that come after training.</summary>
internal sealed record TrainedModel(
    Experiment Experiment, ExperimentData Data, IReadOnlyDictionary<string, byte[]> Weights)
{
    /// <summary>
    /// Loads everything. Throws <see cref="InvalidInputException"/> that names what is missing or does not fit.
    /// </summary>
    /// <param name="run">A run folder; with a model from elsewhere an experiment file or preset serves as well.</param>
    /// <param name="host">Has the working folder.</param>
    /// <param name="model">A safetensors file from elsewhere; null for the run's own model.</param>
    public static TrainedModel Load(string run, CommandHost host, string? model = null)
    {
        string file = model is null ? RequireModel(run, host).ModelFile : Path.GetFullPath(model, host.WorkingFolder);
        if (!File.Exists(file))
        {
            throw new InvalidInputException($"--model {model}: there is no such file; expected a safetensors file with the network's parameters");
        }

        bool isFolder = Directory.Exists(Path.GetFullPath(run, host.WorkingFolder));
        LoadedExperiment loaded =
            ExperimentLoader.Load(isFolder ? Path.Combine(run, "experiment.yaml") : run, Overrides.None, host.WorkingFolder, engines: null);
        (ExperimentData data, Experiment experiment) = PreparedRun.LoadData(loaded, withFingerprint: false, host.Stop);
        if (isFolder)
        {
            DataRecord.Read(RunFolder.Open(run, host.WorkingFolder).DataFile)?.RequireSameMeaning(data.Record, experiment.Data, run);
        }

        return new TrainedModel(
            experiment,
            data,
            ModelFile.Read(file, experiment.Settings.Network, experiment.Settings.Precision, isForeign: model is not null));
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
