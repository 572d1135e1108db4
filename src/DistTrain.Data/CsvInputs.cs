namespace DistTrain.Data;

/// <summary>How a file is to be read whose rows go into a network that was trained on others.</summary>
/// <param name="Spec">Reads the features in the network's order and nothing else.</param>
/// <param name="LeftOut">
/// Lines above the rows that stand where the run skips lines and are no rows, but that the run's own file does not begin with.
/// </param>
public sealed record CsvInputs(CsvSpec Spec, IReadOnlyList<string> LeftOut)
{
    /// <summary>
    /// Looks at the beginning of a file. Where it and the run's file name their columns, names decide which is which; otherwise
    /// places do. Label, target and split columns may be there and are not read. A line is left out only when it is no row.
    /// Throws <see cref="Numerics.InvalidInputException"/> when the columns do not fit.
    /// </summary>
    /// <param name="shown">The file as the user calls it.</param>
    /// <param name="path">The file.</param>
    /// <param name="run">Reads the file that the network was trained on, its path absolute; null where that was no CSV file.</param>
    /// <param name="inputs">Values that the network takes.</param>
    public static CsvInputs Find(string shown, string path, CsvSpec? run, int inputs) =>
        new Sources.CsvInputFinder(shown, path, run, inputs).Find();
}
