using System.Text.Json;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Tracing;

/// <summary>
/// Writes a run as Chrome trace events, which Perfetto and chrome://tracing show: a process for each node, a thread for each actor, a
/// slice for each job and each wait, an arrow for each message. Keeps the first events up to a limit and says in the file what it
/// left out. Thread-safe.
/// </summary>
/// <param name="plan">Names the actors.</param>
/// <param name="nodes">Nodes on which actors are placed in turn; 1 where all share one process.</param>
/// <param name="eventsMax">Most jobs, waits and messages to keep; at least 1.</param>
public sealed class ChromeTrace(RunPlan plan, int nodes, int eventsMax = ChromeTrace.DefaultEventsMax) : IRunTrace
{
    /// <summary>At most about 50 MB of JSON, which browsers still open.</summary>
    public const int DefaultEventsMax = 100_000;

    private readonly Lock _lock = new();
    private readonly List<TraceSpan> _spans = [];
    private readonly List<TraceMessage> _messages = [];
    private readonly List<ChromeWait> _waits = [];
    private readonly (ActorWait Wait, long Since)[] _waiting = new (ActorWait, long)[plan.Topology.Count];
    private readonly int[] _nodes = [.. Enumerable.Range(0, plan.Topology.Count).Select(actor => actor % nodes)];
    private long _leftOut;

    /// <summary>Events that the limit left out.</summary>
    public long LeftOut
    {
        get
        {
            lock (_lock)
            {
                return _leftOut;
            }
        }
    }

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        lock (_lock)
        {
            _nodes[span.Actor.Index] = span.Node;
            Keep(_spans, span);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message)
    {
        lock (_lock)
        {
            Keep(_messages, message);
        }
    }

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
        lock (_lock)
        {
            (ActorWait before, long since) = _waiting[actor.Index];
            if (before == wait)
            {
                return;
            }

            if (nanoseconds > since && before.Kind is WaitKind.Activation or WaitKind.Signal or WaitKind.Parameters)
            {
                Keep(_waits, new ChromeWait(actor, since, nanoseconds, before));
            }

            _waiting[actor.Index] = (wait, nanoseconds);
        }
    }

    /// <summary>Writes the trace as JSON. Times are microseconds, as the format has them.</summary>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        lock (_lock)
        {
            using Utf8JsonWriter json = new(stream);
            new ChromeTraceWriter(json, plan, _nodes).Write(_spans, _waits, _messages, _leftOut);
        }
    }

    private void Keep<T>(List<T> events, in T one)
    {
        if (_spans.Count + _messages.Count + _waits.Count < eventsMax)
        {
            events.Add(one);
        }
        else
        {
            _leftOut++;
        }
    }
}

/// <summary>A stretch in which an actor waited.</summary>
internal readonly record struct ChromeWait(ActorId Actor, long StartNanoseconds, long EndNanoseconds, ActorWait Wait);
