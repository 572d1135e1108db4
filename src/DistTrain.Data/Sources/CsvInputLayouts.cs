using System.Globalization;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>
/// The rows without names that a network's inputs may stand in: inputs alone, or as in the run's file with its label or target
/// columns, its split column, or both.
/// </summary>
internal sealed class CsvInputLayouts
{
    private readonly int _inputs, _targets, _split;
    private readonly List<(int Width, int[] Features)> _layouts;

    /// <param name="run">The columns of the run's file; null where that was no CSV file.</param>
    /// <param name="inputs">Values that the network takes.</param>
    public CsvInputLayouts(CsvColumns? run, int inputs)
    {
        _inputs = inputs;
        _layouts = [(inputs, [.. Enumerable.Range(0, inputs)])];
        if (run is null)
        {
            return;
        }

        int[] targets = run.Label >= 0 ? [run.Label] : run.Targets, split = run.Split >= 0 ? [run.Split] : [];
        (_targets, _split) = (targets.Length, split.Length);
        Add(run, [.. targets, .. split]);
        Add(run, targets);
        Add(run, split);
    }

    public static bool IsNumber(string field) => double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    /// <summary>Whether there is a number wherever one layout has an input.</summary>
    public bool IsRow(string[] fields) => _layouts.Exists(layout => Fits(layout, fields));

    /// <summary>The columns of the inputs. Throws <see cref="InvalidInputException"/> unless exactly one layout fits.</summary>
    /// <param name="shown">The file as the user calls it.</param>
    /// <param name="width">Columns of the file.</param>
    /// <param name="row">Its first row, or null.</param>
    public int[] Find(string shown, int width, string[]? row)
    {
        List<(int Width, int[] Features)> wide = _layouts.FindAll(layout => layout.Width == width);
        if (wide.Count == 0)
        {
            throw new InvalidInputException($"{shown}: its rows have {width} columns; expected {Expected()}");
        }

        List<(int Width, int[] Features)> fitting = row is null ? wide : wide.FindAll(layout => Fits(layout, row));
        if (fitting.Count > 1)
        {
            throw new InvalidInputException(
                $"{shown}: its rows have {width} columns, and nothing tells whether one of them is the run's label column or its split column; "
                + "name the columns as the run's file does, or leave both out");
        }

        // Where a row fits nothing it is damaged, and the reader names line and column.
        return fitting.Count == 1 ? fitting[0].Features : wide[0].Features;
    }

    private void Add(CsvColumns run, int[] others)
    {
        int[] kept = [.. run.Features.Concat(others).Order()];
        int[] features = [.. run.Features.Select(column => Array.IndexOf(kept, column))];
        if (!_layouts.Exists(layout => layout.Width == kept.Length && layout.Features.SequenceEqual(features)))
        {
            _layouts.Add((kept.Length, features));
        }
    }

    private static bool Fits((int Width, int[] Features) layout, string[] fields) =>
        layout.Width == fields.Length && Array.TrueForAll(layout.Features, column => IsNumber(fields[column]));

    private string Expected()
    {
        List<string> more = [];
        if (_targets > 0)
        {
            more.Add($"{_inputs + _targets} with the run's label columns");
        }

        if (_split > 0)
        {
            more.Add($"{_inputs + _split} with its split column");
        }

        if (_targets > 0 && _split > 0)
        {
            more.Add($"{_inputs + _targets + _split} with both");
        }

        return $"the network's {_inputs} inputs" + string.Concat(more.Select(one => $", or {one}"));
    }
}
