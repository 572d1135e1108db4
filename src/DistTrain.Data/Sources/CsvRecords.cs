using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>
/// A forward reader of records. Users see fields as spans and never the library behind, before which <see cref="PlainRows"/> take what is plain.
/// </summary>
internal sealed class CsvRecords : IDisposable
{
    private readonly CsvParser _parser;
    private readonly int _skipped;

    /// <summary>Skips lines of <paramref name="text"/> and starts before the first record.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="text">The text.</param>
    /// <param name="skipLines">Lines to skip from the file's start.</param>
    /// <param name="linesBefore">Lines of the file before the text.</param>
    public CsvRecords(string path, TextReader text, int skipLines, int linesBefore = 0)
    {
        (Path, _skipped) = (path, linesBefore);
        for (; _skipped < skipLines; _skipped++)
        {
            if (text.ReadLine() is null)
            {
                throw new InvalidInputException($"{path}: `data: skip-lines` is {skipLines}, and the file has {_skipped} lines.");
            }
        }

        CsvConfiguration configuration = new(CultureInfo.InvariantCulture)
        {
            HasHeaderRecord = false,
            IgnoreBlankLines = true,
            TrimOptions = TrimOptions.Trim,
            BadDataFound = bad => throw new InvalidInputException(
                $"{path}:{_skipped + bad.Context.Parser!.RawRow}: a quotation mark stands inside a field; "
                + "quote the whole field and double the mark."),
        };
        _parser = new CsvParser(text, configuration, leaveOpen: true);
    }

    public string Path { get; }

    /// <summary>File and line (of the record's end) for messages.</summary>
    public string Position => $"{Path}:{_skipped + _parser.RawRow}";

    public int FieldCount => _parser.Count;

    public ReadOnlySpan<char> this[int field] => _parser[field];

    /// <summary>Moves to the next record; false at the end.</summary>
    public bool Next() => _parser.Read();

    public void Dispose() => _parser.Dispose();
}
