namespace DistTrain.Commands.Terminal;

/// <summary>
/// Lets the first notice of a kind through at once and later ones of that kind at most every few seconds: a fast run takes many
/// snapshots, but a restart must show. Notices that differ in figures only are of one kind.
/// </summary>
internal sealed class NoticeFilter
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(5);
    private readonly Dictionary<string, TimeSpan> _last = new(StringComparer.Ordinal);

    /// <summary>Whether a notice is worth a line at this time of the run.</summary>
    public bool Passes(string text, TimeSpan elapsed)
    {
        string kind = string.Concat(text.Where(c => !char.IsAsciiDigit(c)));
        if (_last.TryGetValue(kind, out TimeSpan last) && elapsed - last < Between)
        {
            return false;
        }

        _last[kind] = elapsed;
        return true;
    }
}
