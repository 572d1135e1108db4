using DistTrain.Data;

namespace DistTrain.Commands.Runs;

/// <summary>Names the setting and the files that rows come from, for messages.</summary>
internal static class DataPlaces
{
    /// <summary>Where the training rows come from.</summary>
    public static string Train(DataSpec spec) => spec switch
    {
        CsvSpec csv => $"data: train: {csv.Train}",
        LibSvmSpec libSvm => $"data: train: {libSvm.Train}",
        IdxSpec idx => $"data: train: {Pair(idx.Train)}",
        _ => $"data: source: {spec.Source}",
    };

    /// <summary>Where the test rows come from: a file of their own, or the training rows'.</summary>
    public static string Test(DataSpec spec) => spec switch
    {
        CsvSpec { Test: string test } => $"data: test: {test}",
        LibSvmSpec { Test: string test } => $"data: test: {test}",
        IdxSpec { Test: IdxFiles test } => $"data: test: {Pair(test)}",
        _ => Train(spec),
    };

    private static string Pair(IdxFiles files) => files.Labels is null ? files.Images : $"{files.Images} and {files.Labels}";
}
