using System.Globalization;
using System.Text;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>One file, read whole.</summary>
internal sealed class CsvTable
{
    private readonly CsvSpec _spec;
    private readonly LabelSet _labels;
    private readonly GrowingArray<double> _values = new(), _targets = new();
    private readonly GrowingArray<int> _labelOfRow = new();
    private readonly SortedSet<string> _splitTexts = new(StringComparer.Ordinal);
    private readonly List<int> _trainRows = [], _testRows = [];
    private CsvColumns? _columns;
    private int _rows;

    private CsvTable(CsvSpec spec, LabelSet labels) => (_spec, _labels) = (spec, labels);

    public CsvColumns Columns => _columns!;

    /// <summary>Reads a file; labels are numbered by <paramref name="labels"/>, which is closed afterwards.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spec">What its columns are for.</param>
    /// <param name="labels">Numbers the labels.</param>
    /// <param name="cancel">Ends the reading early.</param>
    /// <param name="byLibrary">Whether the library reads what is plain too; for tests.</param>
    public static CsvTable Read(string path, CsvSpec spec, LabelSet labels, CancellationToken cancel, bool byLibrary = false) =>
        InputFile.Read(path, stream =>
    {
        CsvTable table = new(spec, labels);
        PlainLines lines = new(stream);
        if (!byLibrary)
        {
            table.ReadPlain(path, lines, stream.CanSeek ? stream.Length : 0, cancel);
        }

        using StreamReader text = InputFile.Text(lines.Rest(), fromStart: !lines.HasBegun);
        using CsvRecords records = new(path, text, spec.SkipLines, lines.Accepted);
        table.ReadAll(records, cancel);
        return table;
    });

    /// <summary>All rows.</summary>
    public RawData ToData(string path)
    {
        int[] labels = _labelOfRow.ToArray();
        _labels.Close(labels);
        return new RawData(Path.GetFileName(path), new RawDense(_values.ToArray(), _rows, Columns.Features.Length))
        {
            InputNames = Columns.Header is IReadOnlyList<string> names ? [.. Columns.Features.Select(column => names[column])] : null,
            Labels = Columns.Label < 0 ? null : labels,
            ClassNames = Columns.Label < 0 ? null : _labels.Names,
            Targets = Columns.Targets.Length == 0 ? null : _targets.ToArray(),
            TargetWidth = Columns.Targets.Length,
        };
    }

    /// <summary>The rows of each part, where a column tells them apart.</summary>
    public (int[] Train, int[] Test) SplitRows(string path)
    {
        if (_testRows.Count > 0 && _trainRows.Count > 0)
        {
            return ([.. _trainRows], [.. _testRows]);
        }

        string extent = _testRows.Count == 0 ? "no row" : "every row";
        string found = string.Join(", ", _splitTexts.Take(10).Select(text => $"'{text}'"));
        throw new InvalidInputException(
            $"{path}: `data: split`: {extent} has '{_spec.Split!.Test}' in column {Columns.NameOf(Columns.Split)}, "
            + $"which holds {found}.");
    }

    /// <summary>Reads skipped lines, header and rows as long as they are plain.</summary>
    private void ReadPlain(string path, PlainLines lines, long fileBytes, CancellationToken cancel)
    {
        if (!lines.AcceptByteOrderMark())
        {
            return;
        }

        ReadOnlySpan<byte> line;
        while (lines.Accepted < _spec.SkipLines)
        {
            if (!lines.TryPeek(out line) || line.Contains((byte)'\r'))
            {
                return;
            }

            lines.Accept();
        }

        if (!lines.TryPeek(out line) || line.Trim((byte)' ').IsEmpty || line.ContainsAny((byte)'\r', (byte)'"'))
        {
            return;
        }

        if (_spec.Header)
        {
            using StringReader header = new(InputFile.Text(line));
            using CsvRecords records = new(path, header, _spec.SkipLines, lines.Accepted);
            records.Next();
            ReadHeader(records);
            lines.Accept();
        }
        else
        {
            _columns = new CsvColumns(path, null, 1 + line.Count((byte)','), _spec);
        }

        if (Columns.Split < 0)
        {
            ReadPlainRows(lines, fileBytes, cancel);
        }
    }

    private void ReadPlainRows(PlainLines lines, long fileBytes, CancellationToken cancel)
    {
        PlainRows rows = new(Columns, _labels);
        (int features, int targets) = (Columns.Features.Length, Columns.Targets.Length);
        while (lines.TryPeek(out ReadOnlySpan<byte> line) && _values.Count <= Array.MaxLength - Columns.Count)
        {
            if ((_rows & 1023) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            // Rows are about as long as the first one, unless that has hardly a digit.
            long guess = Math.Min(features * (1 + (fileBytes / (line.Length + 1L) * 21 / 20)), fileBytes / 4);
            if (!rows.TryRead(line, _values.Room(features, guess), _targets.Room(targets), out int label))
            {
                return;
            }

            _values.Commit(features);
            _targets.Commit(targets);
            if (Columns.Label >= 0)
            {
                _labelOfRow.Add(label);
            }

            _rows++;
            lines.Accept();
        }
    }

    private void ReadHeader(CsvRecords records)
    {
        string[] header = new string[records.FieldCount];
        for (int field = 0; field < header.Length; field++)
        {
            header[field] = records[field].ToString();
        }

        _columns = new CsvColumns(records.Path, header, header.Length, _spec);
    }

    private void ReadAll(CsvRecords records, CancellationToken cancel)
    {
        while (records.Next())
        {
            if (_spec.Header && _columns is null)
            {
                ReadHeader(records);
                continue;
            }

            _columns ??= new CsvColumns(records.Path, null, records.FieldCount, _spec);
            if ((_rows & 1023) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            ReadRow(records);
        }

        if (_rows == 0)
        {
            throw new InvalidInputException($"{records.Path}: there are no rows{(_spec.Header && _columns is not null ? " below the header" : "")}.");
        }
    }

    private void ReadRow(CsvRecords records)
    {
        if (records.FieldCount != Columns.Count)
        {
            throw new InvalidInputException(
                $"{records.Position}: {records.FieldCount} fields, and the lines before have {Columns.Count}.");
        }

        if (_values.Count > Array.MaxLength - Columns.Count)
        {
            throw new InvalidInputException($"{records.Position}: more values than one file may have ({Array.MaxLength:N0}).");
        }

        foreach (int field in Columns.Features)
        {
            _values.Add(Number(records, field));
        }

        foreach (int field in Columns.Targets)
        {
            _targets.Add(Number(records, field));
        }

        if (Columns.Label >= 0)
        {
            _labelOfRow.Add(Label(records));
        }

        if (Columns.Split >= 0)
        {
            ReadOnlySpan<char> text = records[Columns.Split];
            (text.SequenceEqual(_spec.Split!.Test) ? _testRows : _trainRows).Add(_rows);
            _splitTexts.Add(text.ToString());
        }

        _rows++;
    }

    private int Label(CsvRecords records)
    {
        ReadOnlySpan<char> text = records[Columns.Label];
        if (_labels.TryNumber(text, out int number))
        {
            return number;
        }

        throw new InvalidInputException(text.IsEmpty
            ? $"{records.Position}: column {Columns.NameOf(Columns.Label)}: the label is empty."
            : $"{records.Position}: column {Columns.NameOf(Columns.Label)}: the label '{text}' is none of {_labels.Known}.");
    }

    private double Number(CsvRecords records, int field)
    {
        ReadOnlySpan<char> text = records[field];
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value))
        {
            return value;
        }

        string found = text.IsEmpty ? "is empty" : $"'{text}' is not a finite number";
        throw new InvalidInputException($"{records.Position}: column {Columns.NameOf(field)} {found}.");
    }
}
