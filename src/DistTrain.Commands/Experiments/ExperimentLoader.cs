using DistTrain.Commands.Presets;
using DistTrain.Numerics;

namespace DistTrain.Commands.Experiments;

/// <summary>An experiment with its nodes, by which later problems find their line.</summary>
internal sealed record LoadedExperiment(Experiment Experiment, ConfigMap Root, string Source)
{
    /// <summary>Where a key was given.</summary>
    public SourceMark Locate(string key) => KeyPath.Locate(Root, key);
}

/// <summary>Finds, reads and checks an experiment: a file or a preset, with overrides.</summary>
internal static class ExperimentLoader
{
    /// <summary>
    /// Loads a file, or a preset where no file has that name. Throws <see cref="InvalidInputException"/> with every problem that can be
    /// seen without the data.
    /// </summary>
    /// <param name="fileOrPreset">As given; relative paths start from <paramref name="workingFolder"/>.</param>
    /// <param name="assignments">Overrides as <c>a.b=c</c>, applied in order.</param>
    /// <param name="workingFolder">The user's folder.</param>
    public static LoadedExperiment Load(string fileOrPreset, IEnumerable<string> assignments, string workingFolder)
    {
        string path = Path.GetFullPath(fileOrPreset, workingFolder);
        if (File.Exists(path))
        {
            return Parse(ReadText(path, fileOrPreset), fileOrPreset, Path.GetDirectoryName(path)!, Path.GetFileNameWithoutExtension(path), assignments);
        }

        if (PresetCatalog.Find(fileOrPreset) is Preset preset)
        {
            return Parse(preset.Text, $"preset {preset.Name}", workingFolder, preset.Name, assignments);
        }

        string what = Directory.Exists(path) ? "is a folder, not an experiment file" : "there is no such file, and no preset of that name";
        string hint = Nearest.Hint(fileOrPreset, PresetCatalog.Names);
        throw new InvalidInputException(
            $"{fileOrPreset}: {what}; expected an experiment file or one of the presets {MapReader.OneOf(PresetCatalog.Names)}{hint}");
    }

    /// <summary>Reads an experiment's text.</summary>
    public static LoadedExperiment Parse(string text, string source, string baseFolder, string fallbackName, IEnumerable<string> assignments)
    {
        ProblemList problems = new();
        ConfigMap? root = ConfigText.Document(text, source, problems);
        if (root is null)
        {
            throw new InvalidInputException(problems.ToString());
        }

        Overrides.Apply(root, assignments, problems);
        Experiment? experiment = new ExperimentReader(root, baseFolder, fallbackName, problems).Read();
        if (experiment is not null)
        {
            ExperimentChecks.WithoutData(experiment, root, problems);
        }

        problems.ThrowIfAny();
        return new LoadedExperiment(experiment ?? throw new InvalidOperationException("An incomplete experiment has problems."), root, source);
    }

    private static string ReadText(string path, string shown)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{shown}: the file cannot be read ({refused.Message})", refused);
        }
    }
}
