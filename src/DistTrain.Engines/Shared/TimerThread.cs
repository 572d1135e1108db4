using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Timers of actors and signs of life, on one thread of the process that sleeps until the next of them. A timer of the runtime wakes its timer thread, a thread of its pool and the
/// pool's watch, which then look about for a while: several times as much processor time, and all that a run uses which waits.
/// </summary>
/// <remarks>Callbacks run one after the other on that thread: one that waits holds up all others. Times come from <see cref="TimeProvider.System"/>.</remarks>
internal sealed class TimerThread : TimeProvider
{
    private readonly object _gate = new();

    // Every timer that is set, once. Few are put off or taken back, so that may take longer.
    private readonly PriorityQueue<Entry, long> _queue = new();
    private long _awakeAt;

    private TimerThread() => new Thread(Loop) { IsBackground = true, Name = "disttrain-timers" }.UnsafeStart();

    /// <summary>That of this process, which lives as long.</summary>
    public static TimerThread Shared { get; } = new();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Entry entry = new(this, callback, state);
        entry.Change(dueTime, period);
        return entry;
    }

    /// <summary>Ticks of the clock in a span, rounded up; the largest number for one without end.</summary>
    private static long Ticks(TimeSpan span)
    {
        if (span == Timeout.InfiniteTimeSpan)
        {
            return long.MaxValue;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(span, TimeSpan.Zero);
        return (long)Math.Ceiling(span.TotalSeconds * Stopwatch.Frequency);
    }

    [SuppressMessage("Blocker Bug", "S2190", Justification = "It lives as long as the process.")]
    private void Loop()
    {
        while (true)
        {
            Entry next;
            lock (_gate)
            {
                next = WaitForNext();
            }

            next.Fire();
        }
    }

    private Entry WaitForNext()
    {
        while (true)
        {
            long now = Stopwatch.GetTimestamp();
            _awakeAt = _queue.TryPeek(out Entry? first, out long dueAt) ? dueAt : long.MaxValue;
            if (_awakeAt <= now)
            {
                first!.BecomeDue(now);
                return first;
            }

            if (_awakeAt == long.MaxValue)
            {
                Monitor.Wait(_gate);
            }
            else
            {
                // Rounded up, so that it does not wake a moment too early, and again.
                Monitor.Wait(_gate, (int)Math.Min(int.MaxValue, Math.Ceiling((_awakeAt - now) * 1e3 / Stopwatch.Frequency)));
            }
        }
    }

    /// <summary>A timer. Its fields are read and written with the gate held.</summary>
    private sealed class Entry(TimerThread owner, TimerCallback callback, object? state) : ITimer
    {
        private long _dueAt = long.MaxValue, _period = long.MaxValue;
        private bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            long due = Ticks(dueTime), every = Ticks(period);
            lock (owner._gate)
            {
                if (_disposed)
                {
                    return false;
                }

                // As with the runtime's timers, a period of zero is none.
                _period = every == 0 ? long.MaxValue : every;
                Set(due == long.MaxValue ? due : Stopwatch.GetTimestamp() + due);
                if (_dueAt < owner._awakeAt)
                {
                    Monitor.Pulse(owner._gate);
                }
            }

            return true;
        }

        /// <summary>Its time has come.</summary>
        public void BecomeDue(long now) => Set(_period == long.MaxValue ? _period : now + _period);

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (owner._gate)
            {
                _disposed = true;
                Set(long.MaxValue);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(long dueAt)
        {
            if (_dueAt != long.MaxValue)
            {
                owner._queue.Remove(this, out _, out _);
            }

            _dueAt = dueAt;
            if (dueAt != long.MaxValue)
            {
                owner._queue.Enqueue(this, dueAt);
            }
        }
    }
}
