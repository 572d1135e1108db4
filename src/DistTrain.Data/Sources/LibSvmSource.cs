using System.Globalization;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>One or two LIBSVM files.</summary>
internal static class LibSvmSource
{
    public static RawPair Read(LibSvmSpec spec, string baseFolder, CancellationToken cancel)
    {
        if (spec.Features is < 1 or > LibSvmFile.MaxColumns)
        {
            throw new InvalidInputException($"data: features: {spec.Features} is not from 1 to {LibSvmFile.MaxColumns:N0}.");
        }

        string trainPath = InputFile.Locate(baseFolder, spec.Train, "data: train");
        string? testPath = spec.Test is null ? null : InputFile.Locate(baseFolder, spec.Test, "data: test");
        LabelSet labels = new(null);
        RawData train = LibSvmFile.Read(trainPath, labels, spec.Features, cancel);
        RawData? test = testPath is null ? null : LibSvmFile.Read(testPath, labels, train.Features.Columns, cancel);
        return new RawPair(train, test);
    }
}

/// <summary>Reads lines of <c>label index:value …</c>; <c>#</c> starts a comment and empty lines do not count.</summary>
internal sealed class LibSvmFile
{
    /// <summary>A larger index is a damaged file rather than a network that anybody could train.</summary>
    public const int MaxColumns = 10_000_000;

    private readonly string _path;
    private readonly LabelSet _labels;
    private readonly int? _columns;
    private readonly List<int> _starts = [0], _indices = [], _labelOfRow = [];
    private readonly List<double> _values = [];
    private int _line, _largest;

    private LibSvmFile(string path, LabelSet labels, int? columns) => (_path, _labels, _columns) = (path, labels, columns);

    /// <summary>Reads a file of at most <paramref name="columns"/> columns, or as many as it has when that is null.</summary>
    public static RawData Read(string path, LabelSet labels, int? columns, CancellationToken cancel) =>
        InputFile.ReadText(path, text =>
    {
        LibSvmFile file = new(path, labels, columns);
        while (text.ReadLine() is string line)
        {
            file._line++;
            if ((file._line & 255) == 0)
            {
                cancel.ThrowIfCancellationRequested();
            }

            int comment = line.IndexOf('#', StringComparison.Ordinal);
            file.ReadRow(line.AsSpan(0, comment < 0 ? line.Length : comment).Trim());
        }

        return file.ToData();
    });

    private RawData ToData()
    {
        if (_labelOfRow.Count == 0)
        {
            throw new InvalidInputException($"{_path}: there are no rows.");
        }

        int columns = _columns ?? _largest;
        if (columns == 0)
        {
            throw new InvalidInputException(
                $"{_path}: no row has a value; `data: features` must say how many columns there are.");
        }

        int[] labels = [.. _labelOfRow];
        _labels.Close(labels);
        RawSparse features = new([.. _starts], [.. _indices], [.. _values], columns);
        return new RawData(Path.GetFileName(_path), features) { Labels = labels, ClassNames = _labels.Names };
    }

    private void ReadRow(ReadOnlySpan<char> line)
    {
        if (line.IsEmpty)
        {
            return;
        }

        ReadOnlySpan<char> label = Token(ref line);
        if (!IsFinite(label, out _))
        {
            throw Wrong($"the label '{label}' is not a finite number");
        }

        _labelOfRow.Add(_labels.TryNumber(label, out int known) ? known : throw Wrong(
            $"the label '{label}' is none of {_labels.Known}"));
        int last = 0;
        while (!line.IsEmpty)
        {
            last = ReadValue(Token(ref line), last);
        }

        _starts.Add(_values.Count);
    }

    private int ReadValue(ReadOnlySpan<char> token, int last)
    {
        int colon = token.IndexOf(':');
        if (colon < 0 || !int.TryParse(token[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            throw Wrong($"'{token}' is not of the form index:value");
        }

        int limit = _columns ?? MaxColumns;
        if (index < 1 || index > limit)
        {
            throw Wrong($"the index {index} is not from 1 to {limit}");
        }

        if (index <= last)
        {
            throw Wrong($"the index {index} follows {last}; indices must ascend");
        }

        ReadOnlySpan<char> text = token[(colon + 1)..];
        if (!IsFinite(text, out double value))
        {
            throw Wrong($"the value '{text}' of column {index} is not a finite number");
        }

        _indices.Add(index - 1);
        _values.Add(value);
        _largest = Math.Max(_largest, index);
        return index;
    }

    private static bool IsFinite(ReadOnlySpan<char> text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private static ReadOnlySpan<char> Token(ref ReadOnlySpan<char> line)
    {
        int end = line.IndexOfAny(' ', '\t');
        ReadOnlySpan<char> token = end < 0 ? line : line[..end];
        line = end < 0 ? default : line[end..].TrimStart();
        return token;
    }

    private InvalidInputException Wrong(string what) => new($"{_path}:{_line}: {what}.");
}
