using System.Globalization;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>What each column of a file is for.</summary>
internal sealed class CsvColumns
{
    private readonly string _path;
    private readonly string[]? _header;

    public CsvColumns(string path, string[]? header, int count, CsvSpec spec)
    {
        (_path, _header, Count) = (path, header, count);
        Label = spec.Label is null ? -1 : Find("label", spec.Label);
        Targets = [.. (spec.TargetColumns ?? []).Select(column => Find("targets", column))];
        Split = spec.Split is null ? -1 : Find("split: column", spec.Split.Column);
        int[] others = [Label, Split, .. Targets];
        if (others.Where(column => column >= 0).GroupBy(column => column).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new InvalidInputException(
                $"{path}: the column {NameOf(twice.Key)} is named twice among label, targets and split.");
        }

        Features = [.. spec.FeatureColumns ?? Enumerable.Range(0, count).Except(others)];
        if (Features.Any(column => column >= count))
        {
            throw new InvalidInputException($"{path}: there are {count} columns; expected at least {Features.Max() + 1}.");
        }

        if (Features.Length == 0)
        {
            throw new InvalidInputException($"{path}: of its {count} columns none is left to be a feature.");
        }
    }

    /// <summary>Fields of every record.</summary>
    public int Count { get; }

    /// <summary>The label column, or −1.</summary>
    public int Label { get; }

    /// <summary>The split column, or −1.</summary>
    public int Split { get; }

    /// <summary>The target columns, in the order asked for.</summary>
    public int[] Targets { get; }

    /// <summary>The features, in the network's order: all other columns in the file's, unless told otherwise.</summary>
    public int[] Features { get; }

    /// <summary>The columns' names; null where the file has none.</summary>
    public IReadOnlyList<string>? Header => _header;

    /// <summary>A column's name, or its index where the file has no names.</summary>
    public string NameOf(int column) => _header is null ? $"{column}" : $"'{_header[column]}'";

    /// <summary>Throws unless <paramref name="other"/>, of a test file, has the same columns.</summary>
    public void RequireSame(CsvColumns other)
    {
        if (other.Count != Count)
        {
            throw new InvalidInputException($"{other._path}: it has {other.Count} columns, and {_path} has {Count}.");
        }

        for (int column = 0; column < Count && _header is not null; column++)
        {
            if (NameOf(column) != other.NameOf(column))
            {
                throw new InvalidInputException(
                    $"{other._path}: column {column} is {other.NameOf(column)}, and in {_path} it is {NameOf(column)}.");
            }
        }
    }

    private int Find(string key, string column)
    {
        int named = _header is null ? -1 : Array.IndexOf(_header, column);
        if (named >= 0)
        {
            return Array.IndexOf(_header!, column, named + 1) < 0
                ? named
                : throw new InvalidInputException(
                    $"{_path}: `data: {key}`: several columns are named '{column}'; give the 0-based index.");
        }

        bool isIndex = int.TryParse(column, NumberStyles.None, CultureInfo.InvariantCulture, out int index);
        if (isIndex && index < Count)
        {
            return index;
        }

        string? nearest = isIndex ? null : NearestName.Of(column, _header ?? []);
        string hint = nearest is not null ? $"the nearest is '{nearest}'" : $"its columns are 0 to {Count - 1}";
        throw new InvalidInputException($"{_path}: `data: {key}`: there is no column '{column}'; {hint}.");
    }
}
