using DistTrain.Commands.Presets;
using DistTrain.Numerics;

namespace DistTrain.Commands.Experiments;

/// <summary>An experiment with its nodes, by which later problems find their line.</summary>
internal sealed record LoadedExperiment(Experiment Experiment, ConfigMap Root);

/// <summary>The text of an experiment.</summary>
/// <param name="Text">YAML.</param>
/// <param name="Name">What messages call it.</param>
/// <param name="BaseFolder">Where relative paths start from.</param>
/// <param name="FallbackName">The run's name where the text gives none.</param>
/// <param name="FilesAreElsewhere">Whether files that it names need not be here.</param>
internal sealed record ExperimentSource(
    string Text, string Name, string BaseFolder, string FallbackName, bool FilesAreElsewhere = false);

/// <summary>Finds, reads and checks an experiment: a file or a preset, with overrides.</summary>
internal static class ExperimentLoader
{
    /// <summary>
    /// Loads a file, or a preset where no file has that name. Throws <see cref="InvalidInputException"/> with every problem that
    /// can be seen without the data.
    /// </summary>
    /// <param name="fileOrPreset">As given; relative paths start from <paramref name="workingFolder"/>.</param>
    /// <param name="overrides">What the command line changes.</param>
    /// <param name="workingFolder">The user's folder.</param>
    /// <param name="engines">Engines that can be named; null where the engine does not matter.</param>
    public static LoadedExperiment Load(
        string fileOrPreset, Overrides overrides, string workingFolder, IReadOnlyList<string>? engines)
    {
        string path = Path.GetFullPath(fileOrPreset, workingFolder);
        if (File.Exists(path))
        {
            string text = ReadText(path, fileOrPreset), name = Path.GetFileNameWithoutExtension(path);
            return Parse(new ExperimentSource(text, fileOrPreset, Path.GetDirectoryName(path)!, name), overrides, engines);
        }

        if (PresetCatalog.Find(fileOrPreset) is Preset preset)
        {
            return Parse(
                new ExperimentSource(preset.Text, $"preset {preset.Name}", workingFolder, preset.Name), overrides, engines);
        }

        string what = Directory.Exists(path)
            ? "this is a folder, not an experiment file"
            : "there is no such file, and no preset of that name";
        string hint = Nearest.Hint(fileOrPreset, PresetCatalog.Names);
        throw new InvalidInputException(
            $"{fileOrPreset}: {what}; expected an experiment file or one of the presets "
            + $"{MapReader.OneOf(PresetCatalog.Names)}{hint}");
    }

    /// <summary>Reads an experiment's text.</summary>
    public static LoadedExperiment Parse(ExperimentSource source, Overrides overrides, IReadOnlyList<string>? engines)
    {
        ProblemList problems = new();
        ConfigMap? root = ConfigText.Document(source.Text, source.Name, problems);
        if (root is null)
        {
            throw new InvalidInputException(problems.ToString());
        }

        overrides.Apply(root, problems);
        Experiment? experiment = new ExperimentReader(
            root, source.BaseFolder, source.FallbackName, engines, problems, source.FilesAreElsewhere).Read();
        if (experiment is not null)
        {
            ExperimentChecks.WithoutData(experiment, root, problems);
        }

        problems.ThrowIfAny();
        return new LoadedExperiment(
            experiment ?? throw new InvalidOperationException("An incomplete experiment has problems."), root);
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
