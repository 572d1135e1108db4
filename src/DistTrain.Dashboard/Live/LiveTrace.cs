using System.Diagnostics;
using DistTrain.Dashboard.Pipelines;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Dashboard.Live;

/// <summary>
/// Keeps what a run did lately, for as long as somebody asks for it. Thread-safe. It records in bursts of as many steps as a page shows: a burst begins when its
/// reader comes, and when it is full nothing is recorded until the reader comes again, so that what watching costs is bounded by how often the page is renewed,
/// however fast the run is. Where a burst takes long to fill, the next one follows without a gap, as long as there is a reader.
/// </summary>
internal sealed class LiveTrace : IRunTrace
{
    // Two bursts are behind the longest view, so that a page of a slow run has whole steps soon after the second began.
    private static readonly TimeSpan FastBurst = TimeSpan.FromSeconds(1), ReaderStays = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly RunPlan _plan;
    private readonly string[] _names;
    private readonly int _burstSteps;
    private readonly int[] _replicas;
    private readonly long[] _versions;
    private Burst? _recording, _last, _before;
    private PipelineView? _shown;
    private long _readAt;

    /// <summary>A trace of a run.</summary>
    /// <param name="plan">Names the actors.</param>
    public LiveTrace(RunPlan plan)
    {
        _plan = plan;

        // It begins within a step, and ends where others are still under way.
        _burstSteps = 1 + PipelineView.StepsShown + plan.StepsUncommittedMax;
        ActorId[] actors = [.. Enumerable.Range(0, plan.Topology.Count).Select(index => new ActorId(index))];
        _names = [.. actors.Select(plan.Topology.NameOf)];
        _replicas = [.. actors.Select(actor => plan.Topology.RoleOf(actor) == ActorRole.LayerActor ? plan.Topology.StageOf(actor).Replica : 0)];
        _versions = new long[_names.Length];
        Array.Fill(_versions, -1);
    }

    /// <inheritdoc/>
    public bool IsListening => Volatile.Read(ref _recording) is not null;

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        if (Volatile.Read(ref _recording) is not Burst burst)
        {
            return;
        }

        if (span.WeightVersion >= 0)
        {
            // An update's version is the one before it.
            Volatile.Write(ref _versions[span.Actor.Index], span.WeightVersion + (span.Kind == JobKind.Update ? 1 : 0));
        }

        if (!burst.TryAdd(span))
        {
            OnFull(burst);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message)
    {
        // The engine itself counts what passes over links.
    }

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
        if (Volatile.Read(ref _recording) is Burst burst && !burst.TryAdd(actor, nanoseconds, wait))
        {
            OnFull(burst);
        }
    }

    /// <summary>The last steps that were recorded; records on.</summary>
    public PipelineView Pipeline()
    {
        List<BurstSpan> spans = new(Burst.Length);
        List<BurstWait> waits = new(Burst.Length);
        lock (_lock)
        {
            _before?.CopyTo(spans, waits);
            _last?.CopyTo(spans, waits);
            Read();
        }

        PipelineView view = View(spans, waits);
        lock (_lock)
        {
            // A burst that has just begun has less to show than the one before had.
            if (_shown is null || view.LastStep - view.FirstStep >= Math.Min(PipelineView.StepsShown - 1, _shown.LastStep - _shown.FirstStep))
            {
                _shown = view;
            }

            return _shown;
        }
    }

    /// <summary>The weight version that each actor was last seen to work with; −1 for none. Records on.</summary>
    public long[] Versions()
    {
        lock (_lock)
        {
            Read();
        }

        long[] versions = new long[_versions.Length];
        for (int index = 0; index < versions.Length; index++)
        {
            versions[index] = Volatile.Read(ref _versions[index]);
        }

        return versions;
    }

    private static string Words(JobKind kind) => kind.ToString().ToLowerInvariant();

    private void Read()
    {
        _readAt = Stopwatch.GetTimestamp();
        if (_recording is null)
        {
            _before = null;
            Record();
        }
    }

    private void Record()
    {
        _last = new Burst(_names.Length, _burstSteps, Stopwatch.GetTimestamp());
        Volatile.Write(ref _recording, _last);
    }

    private void OnFull(Burst burst)
    {
        lock (_lock)
        {
            if (_recording != burst)
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(burst.StartedAt) > FastBurst && Stopwatch.GetElapsedTime(_readAt) < ReaderStays)
            {
                _before = burst;
                Record();
            }
            else
            {
                Volatile.Write(ref _recording, null);
            }
        }
    }

    /// <summary>Of what was recorded only the last steps are looked at: garbage would cost the run collections, which stop it.</summary>
    private PipelineView View(List<BurstSpan> recorded, List<BurstWait> waits)
    {
        (long first, long last) = (long.MaxValue, 0);
        foreach (BurstSpan one in recorded)
        {
            long step = one.Span.Step;
            (first, last) = step > 0 ? (Math.Min(first, step), Math.Max(last, step)) : (first, last);
        }

        // Recording began in the middle of its first step.
        long from = Math.Max(last > first + 1 ? first + 1 : first, last - PipelineView.StepsShown);
        List<PipelineSpan> spans = [];
        LossMoments losses = new();
        double since = double.PositiveInfinity;
        foreach (BurstSpan one in recorded)
        {
            ref readonly TraceSpan span = ref one.Span;
            if (span.Step < from)
            {
                continue;
            }

            since = Math.Min(since, span.StartNanoseconds);
            spans.Add(new PipelineSpan(
                span.Actor.Index, span.StartNanoseconds / 1e3, span.EndNanoseconds / 1e3, Words(span.Kind), span.Step, span.MicroBatch, span.WeightVersion,
                span.Kind == JobKind.Backward && !_plan.Asynchronous ? span.UpdateStep - 1 - span.WeightVersion : -1));
            if (span.Kind == JobKind.Loss)
            {
                losses.Set(_replicas[span.Actor.Index], span.Step, span.MicroBatch, span.EndNanoseconds / 1e3);
            }
        }

        return PipelineView.Of(_names, spans, Stretches(waits, since, losses));
    }

    /// <summary>What actors waited for from a moment on; what they wait for at the end has no end yet.</summary>
    private List<PipelineWait> Stretches(List<BurstWait> waits, double since, LossMoments losses)
    {
        List<PipelineWait> stretches = [];
        BurstWait?[] before = new BurstWait?[_names.Length];
        foreach (BurstWait wait in waits)
        {
            int actor = wait.Actor.Index;
            if (before[actor] is BurstWait start && wait.Nanoseconds >= since)
            {
                stretches.AddRange(losses.Divide(actor, _replicas[actor], start.Nanoseconds / 1e3, wait.Nanoseconds / 1e3, start.Wait));
            }

            before[actor] = wait;
        }

        return stretches;
    }
}
