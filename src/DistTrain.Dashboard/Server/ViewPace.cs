namespace DistTrain.Dashboard.Server;

/// <summary>
/// When to look at a view again: after a fixed time, and the later the longer it took to look, so that readers together take a small share of a core from the
/// run that they watch, as long as a look is not so long that the page would seem to stand still. A machine with much to do makes looking slow, and so seldom.
/// </summary>
/// <param name="time">Its clock.</param>
/// <param name="between">Between two looks at the soonest.</param>
/// <param name="first">Between the first two, however long the first took, in which code may have been compiled: it may also have begun what the second shows.</param>
internal sealed class ViewPace(TimeProvider time, TimeSpan between, TimeSpan first)
{
    // Four views of one run: 2 % of one core, whatever the machine and the number of readers.
    private const int Share = 200;

    // Somebody who looks takes a page that stands still for longer for one that is broken.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private long? _lookedAt;
    private TimeSpan _rest;

    /// <summary>Whether to look now.</summary>
    public bool IsDue => _lookedAt is not long at || time.GetElapsedTime(at) >= _rest;

    /// <summary>Somebody looked just now.</summary>
    /// <param name="took">How long that took.</param>
    /// <param name="readers">How many look at this view, each for itself.</param>
    public void Looked(TimeSpan took, int readers)
    {
        TimeSpan rest = took * ((double)Share * readers);
        _rest = _lookedAt is null ? first : rest < between ? between : rest < Longest ? rest : Longest;
        _lookedAt = time.GetTimestamp();
    }
}
