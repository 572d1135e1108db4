using DistTrain.Dashboard.Pipelines;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Dashboard.Live;

/// <summary>A link's traffic so far.</summary>
internal sealed record LinkTotal(string From, string To, long Messages, long Bytes);

/// <summary>
/// Keeps the last jobs and waits of a run in rings, and its links' traffic as sums. Thread-safe; what it costs a run is a lock and a copy per job
/// and message.
/// </summary>
internal sealed class LiveTrace : IRunTrace
{
    private const int RingLength = 8192, LinksMax = 4096;
    private readonly Lock _lock = new();
    private readonly RunPlan _plan;
    private readonly string[] _names;
    private readonly TraceSpan[] _spans = new TraceSpan[RingLength];
    private readonly WaitSlice[] _waits = new WaitSlice[RingLength];
    private readonly long[] _versions;
    private readonly Dictionary<(int From, int To), (long Messages, long Bytes)> _links = [];
    private readonly LockAccount? _locks;
    private long _spanCount, _waitCount;

    /// <summary>A trace of a run.</summary>
    /// <param name="plan">Names the actors.</param>
    /// <param name="tellsWaits">Whether the engine tells waits, and everything from one thread.</param>
    public LiveTrace(RunPlan plan, bool tellsWaits)
    {
        _plan = plan;
        _names = [.. Enumerable.Range(0, plan.Topology.Count).Select(index => plan.Topology.NameOf(new ActorId(index)))];
        _versions = new long[_names.Length];
        Array.Fill(_versions, -1);
        _locks = tellsWaits ? new LockAccount(plan) { Listener = Keep } : null;
    }

    /// <summary>Counts what was told.</summary>
    public long Version => Interlocked.Read(ref _spanCount);

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        _locks?.OnSpan(span);
        lock (_lock)
        {
            _spans[_spanCount++ % RingLength] = span;
            if (span.WeightVersion >= 0)
            {
                // An update's version is the one before it.
                _versions[span.Actor.Index] = span.WeightVersion + (span.Kind == JobKind.Update ? 1 : 0);
            }
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message)
    {
        _locks?.OnMessage(message);
        lock (_lock)
        {
            (int, int) link = (message.From.Index, message.To.Index);
            if (_links.TryGetValue(link, out (long Messages, long Bytes) total) || _links.Count < LinksMax)
            {
                _links[link] = (total.Messages + 1, total.Bytes + message.Bytes);
            }
        }
    }

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes) => _locks?.OnWait(actor, nanoseconds, wait, storedBytes);

    /// <summary>The last steps.</summary>
    public PipelineView Pipeline()
    {
        TraceSpan[] spans;
        WaitSlice[] waits;
        lock (_lock)
        {
            spans = Last(_spans, _spanCount);
            waits = Last(_waits, _waitCount);
        }

        return PipelineView.Of(
            _names,
            [.. spans.Select(span => new PipelineSpan(
                span.Actor.Index, span.StartNanoseconds / 1e3, span.EndNanoseconds / 1e3, Words(span.Kind), span.Step, span.MicroBatch, span.WeightVersion,
                span.Kind == JobKind.Backward && !_plan.Asynchronous ? span.UpdateStep - 1 - span.WeightVersion : -1))],
            [.. waits.Select(wait => new PipelineWait(
                wait.Actor.Index, wait.StartNanoseconds / 1e3, wait.EndNanoseconds / 1e3, Words(wait.Share), wait.Step))]);
    }

    /// <summary>The weight version that each actor last worked with; −1 for none.</summary>
    public long[] Versions()
    {
        lock (_lock)
        {
            return [.. _versions];
        }
    }

    /// <summary>Traffic by link, in the order of sender and receiver.</summary>
    public IReadOnlyList<LinkTotal> Links()
    {
        lock (_lock)
        {
            return [.. _links.OrderBy(link => link.Key).Select(link => new LinkTotal(
                _names[link.Key.From], _names[link.Key.To], link.Value.Messages, link.Value.Bytes))];
        }
    }

    private static T[] Last<T>(T[] ring, long count)
    {
        int length = (int)Math.Min(count, ring.Length), first = (int)((count - length) % ring.Length);
        T[] last = new T[length];
        for (int index = 0; index < length; index++)
        {
            last[index] = ring[(first + index) % ring.Length];
        }

        return last;
    }

    private static string Words(TimeShare share) => share switch
    {
        TimeShare.ForwardLock => "forward lock",
        TimeShare.UpdateLock => "update lock",
        TimeShare.BackwardLock => "backward lock",
        TimeShare.Parameters => "parameters",
        _ => "released",
    };

    private static string Words(JobKind kind) => kind.ToString().ToLowerInvariant();

    private void Keep(WaitSlice slice)
    {
        if (slice.Share == TimeShare.Busy)
        {
            return;
        }

        lock (_lock)
        {
            _waits[_waitCount++ % RingLength] = slice;
        }
    }
}
