using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;

namespace DistTrain.Dashboard.Live;

/// <summary>
/// The jobs and waits of a stretch of a run: of a few steps, and up to a number of them where steps have more. Filled by several threads without a lock: each takes
/// a place by an atomic count and publishes one reference there.
/// </summary>
/// <param name="actors">Actors of the run.</param>
/// <param name="steps">Steps after which it is full, the first and the last of which it has in part.</param>
/// <param name="startedAt">When it began, on its owner's clock.</param>
internal sealed class Burst(int actors, int steps, long startedAt)
{
    /// <summary>Most jobs and waits together.</summary>
    public const int Length = 8192;

    private readonly object?[] _events = new object?[Length];
    private readonly BurstWait?[] _waits = new BurstWait?[actors];
    private long _firstStep;
    private int _taken;

    /// <summary>When it began.</summary>
    public long StartedAt => startedAt;

    /// <summary>Keeps a job; false when it is full.</summary>
    public bool TryAdd(in TraceSpan span) => TryKeep(new BurstSpan(span)) && !IsLast(span.Step);

    /// <summary>Keeps what an actor waits for from now on, if that is news; false when it is full. For one actor it is called by one thread at a time.</summary>
    public bool TryAdd(ActorId actor, long nanoseconds, ActorWait wait)
    {
        if (_waits[actor.Index] is BurstWait before && before.Wait == wait)
        {
            return true;
        }

        BurstWait now = new(actor, nanoseconds, wait);
        _waits[actor.Index] = now;
        return TryKeep(now);
    }

    /// <summary>Adds what is there so far, waits of each actor in their order.</summary>
    public void CopyTo(List<BurstSpan> spans, List<BurstWait> waits)
    {
        int end = Math.Min(Volatile.Read(ref _taken), Length);
        for (int index = 0; index < end; index++)
        {
            switch (Volatile.Read(ref _events[index]))
            {
                case BurstSpan span:
                    spans.Add(span);
                    break;
                case BurstWait wait:
                    waits.Add(wait);
                    break;
            }
        }
    }

    /// <summary>Whether enough steps have begun. Those of an evaluation are 0 and do not count.</summary>
    private bool IsLast(long step)
    {
        if (step <= 0)
        {
            return false;
        }

        long first = Volatile.Read(ref _firstStep);
        first = first > 0 ? first : Interlocked.CompareExchange(ref _firstStep, step, 0);
        return first > 0 && step - first >= steps - 1;
    }

    private bool TryKeep(object one)
    {
        // Past the end the count need not be exact, only not wrap around.
        int place = Volatile.Read(ref _taken) < Length ? Interlocked.Increment(ref _taken) - 1 : Length;
        if (place >= Length)
        {
            return false;
        }

        Volatile.Write(ref _events[place], one);
        return place < Length - 1;
    }
}

/// <summary>A job.</summary>
internal sealed class BurstSpan(in TraceSpan span)
{
    private readonly TraceSpan _span = span;

    /// <summary>What its engine told.</summary>
    public ref readonly TraceSpan Span => ref _span;
}

/// <summary>What an actor waits for from a moment on.</summary>
internal sealed record BurstWait(ActorId Actor, long Nanoseconds, ActorWait Wait);
