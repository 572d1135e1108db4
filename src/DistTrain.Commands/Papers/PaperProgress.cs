namespace DistTrain.Commands.Papers;

/// <summary>
/// One line of progress on a terminal, which is cleared at the end; nothing elsewhere. Not thread-safe.
/// </summary>
internal sealed class PaperProgress(CommandHost host, bool quiet, string title) : IDisposable
{
    private static readonly TimeSpan BetweenPaints = TimeSpan.FromMilliseconds(100);
    private readonly bool _shown = host.Interactive && !quiet;
    private long _painted;
    private int _width;

    /// <summary>So much is done.</summary>
    public void Report(int done, int all)
    {
        if (_shown && (_painted == 0 || host.Clock.GetElapsedTime(_painted) >= BetweenPaints))
        {
            _painted = host.Clock.GetTimestamp();
            Paint($"{title}: {done} of {all}");
        }
    }

    /// <summary>Clears the line.</summary>
    public void Dispose()
    {
        if (_width > 0)
        {
            Paint("");
            host.Out.Write("\r");
        }
    }

    private void Paint(string text)
    {
        host.Out.Write($"\r{text.PadRight(_width)}");
        _width = text.Length;
    }
}
