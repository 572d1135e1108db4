using System.Globalization;

namespace DistTrain.Engines.Storage;

/// <summary>A segment's name: <c>log-000000007</c> where one process keeps the whole log, <c>log-000000007.coordinator</c> where several keep one together.</summary>
/// <param name="Number">Above that of every segment that its writer could have read.</param>
/// <param name="Writer">Who wrote it; empty for a log of one writer.</param>
/// <param name="IsTaken">Whether another writer of this name has taken the log over since: the one before can make nothing in it count any more.</param>
internal readonly record struct LogSegment(long Number, string Writer = "", bool IsTaken = false)
{
    /// <summary>What a segment's name begins with.</summary>
    public const string Prefix = "log-";

    private const string TakenSuffix = ".taken";

    /// <summary>The file's name.</summary>
    public string FileName => string.Create(
        CultureInfo.InvariantCulture, $"{Prefix}{Number:D9}{(Writer.Length == 0 ? "" : ".")}{Writer}{(IsTaken ? TakenSuffix : "")}");

    /// <summary>The segment of a file's name; null for another file.</summary>
    public static LogSegment? Of(string fileName)
    {
        if (!fileName.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        bool taken = fileName.EndsWith(TakenSuffix, StringComparison.Ordinal);
        string rest = fileName[Prefix.Length..^(taken ? TakenSuffix.Length : 0)];
        int dot = rest.IndexOf('.', StringComparison.Ordinal);
        string digits = dot < 0 ? rest : rest[..dot];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && new LogSegment(number, dot < 0 ? "" : rest[(dot + 1)..], taken) is var segment
            && segment.FileName == fileName
                ? segment
                : null;
    }
}
