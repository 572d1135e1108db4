using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>Finds a run's features in a file of other column order by their names.</summary>
/// <param name="shown">The file as the user calls it.</param>
/// <param name="names">The names in the run's file.</param>
/// <param name="run">What they are for.</param>
internal sealed class CsvNameMatch(string shown, IReadOnlyList<string> names, CsvColumns run)
{
    /// <summary>
    /// The column of each feature. Throws <see cref="InvalidInputException"/> that names a column which is missing, unknown or
    /// there more than once.
    /// </summary>
    public int[] Find(string[] header)
    {
        int[] features = [.. run.Features.Select(column => Find(header, column))];
        return header.FirstOrDefault(name => !names.Contains(name)) is string unknown
            ? throw new InvalidInputException(
                $"{shown}: the column '{unknown}' is none of the run's; expected its inputs {Listed(run.Features.Select(column => names[column]))}, "
                + "and besides them no columns but the run's label, target and split columns")
            : features;
    }

    private int Find(string[] header, int column)
    {
        string name = names[column];
        int[] found = Columns(header, name);
        if (found.Length == 0)
        {
            // Of names of a letter or two each is near to every other.
            string hint = name.Length > 2 && NearestName.Of(name, header) is string nearest ? $"the nearest is '{nearest}'" : $"there are {Listed(header)}";
            throw new InvalidInputException($"{shown}: there is no column '{name}', which the network takes; {hint}");
        }

        // Columns that share a name are told apart by their order, when as many are there as in the run's file.
        int[] known = Columns(names, name);
        int[] candidates = found.Length == known.Length ? known : [.. known.Where(one => run.Features.Contains(one))];
        return candidates.Length == found.Length
            ? found[Array.IndexOf(candidates, column)]
            : throw new InvalidInputException($"{shown}: several columns are named '{name}'; expected {candidates.Length} as in the run's file");
    }

    private static int[] Columns(IReadOnlyList<string> names, string name) =>
        [.. Enumerable.Range(0, names.Count).Where(column => names[column] == name)];

    private static string Listed(IEnumerable<string> all)
    {
        string[] listed = [.. all];
        return string.Join(", ", listed.Take(10).Select(name => $"'{name}'")) + (listed.Length > 10 ? $", … ({listed.Length})" : "");
    }
}
