using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Timers of actors and signs of life, on one thread of the process that sleeps until the next of them. A timer of the runtime wakes its timer thread, a thread of its pool and the
/// pool's watch, which then look about for a while: several times as much processor time, and all that a run uses which waits.
/// </summary>
/// <remarks>Callbacks run one after the other on that thread, so they must be short and must not wait. Times come from <see cref="TimeProvider.System"/>.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the process.")]
internal sealed class TimerThread : TimeProvider
{
    private readonly Lock _starting = new();
    private readonly object _gate = new();

    // Every timer that is set is here at the time that it is set to, or at an earlier one, and is then looked at again: most are put off or taken back before their time.
    private readonly PriorityQueue<Entry, long> _queue = new();
    private long _awakeAt = long.MaxValue;
    private Thread? _thread;

    /// <summary>That of this process.</summary>
    public static TimerThread Shared { get; } = new();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        Start();
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

    private void Start()
    {
        lock (_starting)
        {
            if (_thread is null)
            {
                _thread = new Thread(Loop) { IsBackground = true, Name = "disttrain-timers" };
                _thread.Start();
            }
        }
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
            while (_queue.TryPeek(out Entry? first, out long queuedAt) && queuedAt <= now)
            {
                _queue.Dequeue();
                if (first.TryBecomeDue(queuedAt, now))
                {
                    return first;
                }
            }

            _awakeAt = _queue.TryPeek(out _, out long nextAt) ? nextAt : long.MaxValue;
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
        private long _dueAt = long.MaxValue, _period = long.MaxValue, _queuedAt = long.MaxValue;
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
                if (_queuedAt < owner._awakeAt)
                {
                    Monitor.Pulse(owner._gate);
                }
            }

            return true;
        }

        /// <summary>The place in the queue has come up: whether the timer's time has too. If not, it is queued again.</summary>
        public bool TryBecomeDue(long queuedAt, long now)
        {
            if (queuedAt != _queuedAt)
            {
                // It has an earlier place by now, or had.
                return false;
            }

            _queuedAt = long.MaxValue;
            if (_dueAt > now)
            {
                Set(_dueAt);
                return false;
            }

            Set(_period == long.MaxValue ? _period : now + _period);
            return true;
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (owner._gate)
            {
                _disposed = true;
                _dueAt = long.MaxValue;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Set(long dueAt)
        {
            _dueAt = dueAt;
            if (dueAt < _queuedAt)
            {
                _queuedAt = dueAt;
                owner._queue.Enqueue(this, dueAt);
            }
        }
    }
}
