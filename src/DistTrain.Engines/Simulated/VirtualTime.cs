namespace DistTrain.Engines.Simulated;

/// <summary>The clock of a simulated run: nanoseconds since its start.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private const double NanosecondsPerSecond = 1e9;

    /// <summary>Now.</summary>
    public long Now { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => (long)NanosecondsPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => Now;

    /// <summary>A time span in nanoseconds.</summary>
    public static long Nanoseconds(TimeSpan span) => checked(span.Ticks * TimeSpan.NanosecondsPerTick);

    /// <summary>Seconds in nanoseconds, to the nearest; a time beyond reason is as long as a century.</summary>
    public static long Nanoseconds(double seconds) => (long)Math.Round(Math.Min(seconds, 3e9) * NanosecondsPerSecond);
}
