namespace DistTrain.Engines;

/// <summary>Time since a run's start, on its engine's clock: the machine's, or the simulated one.</summary>
public sealed class RunClock
{
    private readonly TimeProvider? _time;
    private readonly long _start;
    private readonly TimeSpan _still;

    /// <summary>A clock that starts now.</summary>
    public RunClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _start) = (time, time.GetTimestamp());
    }

    private RunClock(TimeSpan still) => _still = still;

    /// <summary>Since the start, now.</summary>
    public TimeSpan Elapsed => _time?.GetElapsedTime(_start) ?? _still;

    /// <summary>A clock that always tells the same.</summary>
    public static RunClock Still(TimeSpan elapsed) => new(elapsed);
}
