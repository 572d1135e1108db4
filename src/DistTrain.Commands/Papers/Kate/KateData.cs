using DistTrain.Data;
using DistTrain.Numerics;

namespace DistTrain.Commands.Papers.Kate;

/// <summary>The documents: counts of words, scaled as the paper does, with their classes.</summary>
/// <param name="Documents">Inputs that are their own targets.</param>
/// <param name="Labelled">The same inputs with their classes as targets.</param>
internal sealed record KateData(TrainTest<float> Documents, TrainTest<float> Labelled)
{
    private static readonly string[] Endings = [".libsvm.gz", ".libsvm"];

    /// <summary>Words.</summary>
    public int Words => Documents.Train.Inputs;

    /// <summary>Classes.</summary>
    public int Classes => Labelled.Train.Targets;

    /// <summary>Reads the one <c>*.train.libsvm[.gz]</c> of a folder and its <c>*.test.libsvm[.gz]</c>.</summary>
    /// <exception cref="InvalidInputException">The folder or one of the files is not there, or is damaged.</exception>
    public static KateData Load(string? folder, string workingFolder, CancellationToken stop)
    {
        if (folder is null)
        {
            throw new InvalidInputException(
                "paper kate: --data FOLDER is missing; expected a folder with word counts of 20 Newsgroups in LIBSVM format, NAME.train.libsvm.gz and NAME.test.libsvm.gz (lines of `label word:count …`, words 1-based)");
        }

        string path = Path.Combine(workingFolder, folder);
        if (!Directory.Exists(path))
        {
            throw new InvalidInputException($"--data {folder}: there is no such folder");
        }

        LibSvmSpec spec = new(Find(path, folder, ".train"), Find(path, folder, ".test")) { Scaling = new Scaling(LogMax: true) };
        return new KateData(
            DataLoader.Load<float>(spec with { TargetsAreInputs = true }, path, seed: 0, stop),
            DataLoader.Load<float>(spec, path, seed: 0, stop));
    }

    private static string Find(string path, string given, string part)
    {
        string[] found = [.. Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file)!)
            .Where(name => Endings.Any(ending => name.EndsWith(part + ending, StringComparison.Ordinal))).Order(StringComparer.Ordinal)];
        return found.Length == 1
            ? found[0]
            : throw new InvalidInputException($"--data {given}: {(found.Length == 0 ? "no file" : $"{found.Length} files")} NAME{part}.libsvm[.gz] there; expected one");
    }
}
