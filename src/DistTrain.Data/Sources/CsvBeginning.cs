using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>How a file begins, read as its rows will be: decompressed and decoded.</summary>
/// <param name="Skipped">The lines to skip, as far as the file has them.</param>
/// <param name="First">The record after those, and null where the file ends there.</param>
/// <param name="Second">The record after the first.</param>
internal sealed record CsvBeginning(IReadOnlyList<string> Skipped, string[]? First, string[]? Second)
{
    public static CsvBeginning Read(string path, int skipLines) => InputFile.ReadText(path, text =>
    {
        List<string> skipped = [];
        while (skipped.Count < skipLines && text.ReadLine() is string line)
        {
            skipped.Add(line);
        }

        using CsvRecords records = new(path, text, skipped.Count, skipped.Count);
        return new CsvBeginning(skipped, Next(records), Next(records));
    });

    /// <summary>The fields of one line; none where it is empty, or no record at all as a line of prose may be.</summary>
    public static string[] Fields(string line)
    {
        try
        {
            using StringReader text = new(line);
            using CsvRecords records = new("", text, skipLines: 0);
            return Next(records) ?? [];
        }
        catch (InvalidInputException)
        {
            return [];
        }
    }

    private static string[]? Next(CsvRecords records)
    {
        if (!records.Next())
        {
            return null;
        }

        string[] fields = new string[records.FieldCount];
        for (int field = 0; field < fields.Length; field++)
        {
            fields[field] = records[field].ToString();
        }

        return fields;
    }
}
