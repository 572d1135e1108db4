namespace DistTrain.Engines;

/// <summary>Times pieces of work: of each the fastest of many repetitions counts, because others on the machine only ever make it slower.</summary>
/// <param name="time">The clock.</param>
/// <param name="cancel">Ends the measuring between two repetitions.</param>
internal sealed class FastestOf(TimeProvider time, CancellationToken cancel)
{
    private const int RepeatsMin = 5;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Lets a moment pass in which the runtime compiles what has been repeated to its final form.</summary>
    public void Settle()
    {
        const int Milliseconds = 350;
        cancel.WaitHandle.WaitOne(Milliseconds);
        ThrowIfStopped();
    }

    /// <summary>Ends the measuring where that is asked for.</summary>
    public void ThrowIfStopped() => cancel.ThrowIfCancellationRequested();

    /// <summary>Seconds of the fastest repetition.</summary>
    /// <param name="milliseconds">Repeats for so long, and at least five times.</param>
    /// <param name="piece">The work.</param>
    public double Seconds(double milliseconds, Action piece)
    {
        double fastest = double.PositiveInfinity;
        long begin = Time.GetTimestamp();
        for (int repeat = 0; repeat < RepeatsMin || Time.GetElapsedTime(begin).TotalMilliseconds < milliseconds; repeat++)
        {
            ThrowIfStopped();
            long start = Time.GetTimestamp();
            piece();
            fastest = Math.Min(fastest, Time.GetElapsedTime(start).TotalSeconds);
        }

        return fastest;
    }
}
