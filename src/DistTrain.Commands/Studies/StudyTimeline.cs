using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;

namespace DistTrain.Commands.Studies;

/// <summary>Keeps what the layer actors did in the first steps: jobs as they ran, and waits as the account divides them.</summary>
/// <param name="layerActors">How many there are; other actors have no lane.</param>
internal sealed class StudyTimeline(int layerActors) : IRunTrace
{
    /// <summary>Steps to keep.</summary>
    public const int Steps = 20;

    /// <summary>Layers to keep: more would not be told apart.</summary>
    public const int LayersMax = 24;

    private const int EventsMax = 20_000;
    private readonly int _lanes = Math.Min(layerActors, LayersMax);
    private readonly List<TraceSpan> _jobs = [];
    private readonly List<WaitSlice> _waits = [];

    public IReadOnlyList<TraceSpan> Jobs => _jobs;

    public IReadOnlyList<WaitSlice> Waits => _waits;

    /// <summary>Whether the first steps are over.</summary>
    public bool IsOver { get; set; }

    /// <inheritdoc/>
    public void OnSpan(in TraceSpan span)
    {
        if (span.Step > 0 && IsKept(span.Actor))
        {
            _jobs.Add(span);
        }
    }

    /// <summary>A stretch of a layer actor's time.</summary>
    public void OnSlice(WaitSlice slice)
    {
        if (slice.Share != TimeShare.Busy && IsKept(slice.Actor))
        {
            _waits.Add(slice);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(in TraceMessage message) => IsOver |= message.Type == "committed" && message.Step >= Steps;

    /// <inheritdoc/>
    public void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes)
    {
    }

    // Layer actors come right after the coordinator.
    private bool IsKept(ActorId actor) => !IsOver && actor.Index >= 1 && actor.Index <= _lanes && _jobs.Count + _waits.Count < EventsMax;
}
