using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>Finds out where a file's rows begin and which of their columns are a network's inputs.</summary>
internal sealed class CsvInputFinder
{
    private readonly string _shown, _path;
    private readonly int _inputs;
    private readonly CsvBeginning _file;
    private readonly IReadOnlyList<string> _skippedByRun;
    private readonly CsvColumns? _run;
    private readonly CsvInputLayouts _layouts;

    public CsvInputFinder(string shown, string path, CsvSpec? run, int inputs)
    {
        (_shown, _path, _inputs, _skippedByRun) = (shown, path, inputs, []);
        _file = CsvBeginning.Read(path, run?.SkipLines ?? 0);
        if (run is not null)
        {
            CsvBeginning ofRun = CsvBeginning.Read(run.Train, run.SkipLines);
            string[] first = ofRun.First ?? throw new InvalidInputException($"{run.Train}: there are no rows.");
            _run = new CsvColumns(run.Train, run.Header ? first : null, first.Length, run);
            _skippedByRun = ofRun.Skipped;
        }

        _layouts = new CsvInputLayouts(_run, inputs);
    }

    public CsvInputs Find()
    {
        (int skip, string[] first, string[]? second, List<string> leftOut) = Begin();
        bool header = IsHeader(first);
        int[] features = header && _run?.Header is IReadOnlyList<string> names
            ? new CsvNameMatch(_shown, names, _run).Find(first)
            : _layouts.Find(_shown, first.Length, header ? second : first);
        CsvSpec spec = new(_path) { Header = header, SkipLines = skip, FeatureColumns = features, TargetsAreInputs = true };
        return new CsvInputs(spec, leftOut);
    }

    /// <summary>The first row or header: it may stand where the run's file has lines to skip.</summary>
    private (int Skip, string[] First, string[]? Second, List<string> LeftOut) Begin()
    {
        List<string> leftOut = [];
        for (int i = 0; i < _file.Skipped.Count; i++)
        {
            string line = _file.Skipped[i];
            if (i < _skippedByRun.Count && line == _skippedByRun[i])
            {
                continue;
            }

            string[] fields = CsvBeginning.Fields(line);
            string[]? next = i + 1 < _file.Skipped.Count ? CsvBeginning.Fields(_file.Skipped[i + 1]) : _file.First;
            if (IsOwnHeader(fields) || _layouts.IsRow(fields) || IsForeignHeader(fields, next))
            {
                CsvBeginning rest = CsvBeginning.Read(_path, i);
                return (i, rest.First ?? fields, rest.Second, leftOut);
            }

            if (line.Trim().Length > 0)
            {
                leftOut.Add(line);
            }
        }

        return _file.First is string[] first
            ? (_file.Skipped.Count, first, _file.Second, leftOut)
            : throw new InvalidInputException(
                $"{_shown}: {(leftOut.Count > 0 ? "there is no row in the file" : "the file is empty")}; expected one row of {_inputs} inputs a line");
    }

    private bool IsHeader(string[] fields)
    {
        // Columns may be called 0, 1, 2 and so on: such a header looks like a row, and only the whole of it is taken for one.
        if (IsOwnHeader(fields))
        {
            return true;
        }

        // What is neither row nor header is a damaged row; whoever reads the rows says what is wrong with it.
        return !_layouts.IsRow(fields) && (HasFeatureName(fields) || !fields.Any(CsvInputLayouts.IsNumber));
    }

    private bool IsOwnHeader(string[] fields) => _run?.Header is IReadOnlyList<string> names
        && (fields.SequenceEqual(names)
            || fields.SequenceEqual(_run.Features.Select(column => names[column]))
            || (HasFeatureName(fields) && !_layouts.IsRow(fields) && _run.Features.All(column => fields.Contains(names[column]))));

    /// <summary>Whether a line names columns, though not the run's: rows below it must not be taken by their places.</summary>
    private bool IsForeignHeader(string[] fields, string[]? next) => _run?.Header is not null
        && next is not null && next.Length == fields.Length && _layouts.IsRow(next) && !fields.Any(CsvInputLayouts.IsNumber);

    private bool HasFeatureName(string[] fields) =>
        _run?.Header is IReadOnlyList<string> names && _run.Features.Any(column => fields.Contains(names[column]));
}
