using DistTrain.Commands.Experiments;
using DistTrain.Data;
using DistTrain.Engines.Processes;
using DistTrain.Numerics;

namespace DistTrain.Commands.Runs;

/// <summary>A resolved experiment as it travels between machines: its files are named below each machine's datasets folder.</summary>
public static class ClusterExperiment
{
    /// <summary>The cluster engine's name.</summary>
    public const string EngineName = "akka";

    /// <summary>Names an experiment's files below a datasets folder. Throws <see cref="InvalidInputException"/> when one is not.</summary>
    /// <param name="text">A resolved experiment.</param>
    /// <param name="datasets">The folder, absolute.</param>
    /// <returns>The same experiment with the files named so, their absolute paths here, and whether machines without them are sent them.</returns>
    public static (string Text, IReadOnlyList<string> Files, bool Ships) Localize(string text, string datasets)
    {
        Experiment experiment = Parse(text, datasets, filesAreElsewhere: false);
        List<string> files = [];
        string? Below(string? path)
        {
            if (path is null)
            {
                return null;
            }

            string relative = Path.GetRelativePath(datasets, path);
            if (relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative))
            {
                throw new InvalidInputException($"data: {path} is not below {datasets}; expected --datasets with a folder that holds every file, on each node the same below its own datasets-dir");
            }

            files.Add(path);
            return relative.Replace(Path.DirectorySeparatorChar, '/');
        }

        IdxFiles? Idx(IdxFiles? pair) => pair is null ? null : new IdxFiles(Below(pair.Images)!, Below(pair.Labels));
        DataSpec data = experiment.Data switch
        {
            IdxSpec idx => idx with { Train = Idx(idx.Train)!, Test = Idx(idx.Test) },
            CsvSpec csv => csv with { Train = Below(csv.Train)!, Test = Below(csv.Test) },
            LibSvmSpec libsvm => libsvm with { Train = Below(libsvm.Train)!, Test = Below(libsvm.Test) },
            DataSpec generated => generated,
        };
        Experiment localized = experiment with { Data = data, InitFile = Below(experiment.InitFile) };
        return (ExperimentWriter.Write(localized), [.. files.Distinct(StringComparer.Ordinal)], data.Ship);
    }

    /// <summary>What a node makes of a localized experiment. Files are read only when somebody needs them.</summary>
    /// <param name="text">The experiment.</param>
    /// <param name="datasets">This node's datasets folder, absolute.</param>
    public static ChildExperiment Read(string text, string datasets)
    {
        Experiment experiment = Parse(text, datasets, filesAreElsewhere: true);
        return new ChildExperiment(
            experiment.Settings,
            () => ExperimentData.Load(experiment, CancellationToken.None).Run,
            network => experiment.InitFile is string file ? ModelFile.Read(file, network, experiment.Settings.Precision) : null,
            experiment.Byzantine);
    }

    private static Experiment Parse(string text, string datasets, bool filesAreElsewhere)
    {
        ExperimentSource source = new(text, "the run's experiment", datasets, "run", filesAreElsewhere);
        return ExperimentLoader.Parse(source, Overrides.None, engines: null).Experiment;
    }
}
