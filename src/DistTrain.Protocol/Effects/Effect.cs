using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Effects;

/// <summary>Kinds of effects.</summary>
public enum EffectKind
{
    /// <summary>Hand the envelope to the wire; it may be lost, doubled, delayed and overtaken.</summary>
    Send,

    /// <summary>Run the job; its result comes back as a stimulus.</summary>
    RunJob,

    /// <summary>Start or restart a timer.</summary>
    StartTimer,

    /// <summary>Cancel a timer; a firing already under way is ignored by the machine.</summary>
    CancelTimer,

    /// <summary>Keep the record as durably as the run asks; success and failure come back as a stimulus.</summary>
    Persist,

    /// <summary>Tell the outside.</summary>
    Report,

    /// <summary>Take one more reference to the buffer for this actor.</summary>
    Retain,

    /// <summary>Give one reference back.</summary>
    Release,

    /// <summary>Start an actor with an incarnation; the coordinator alone asks for it.</summary>
    Spawn,
}

/// <summary>One thing that a machine wants done. Which fields count follows from <see cref="Kind"/>.</summary>
public readonly record struct Effect(EffectKind Kind)
{
    /// <summary>Send.</summary>
    public Envelope Envelope { get; init; }

    /// <summary>RunJob.</summary>
    public Job? Job { get; init; }

    /// <summary>StartTimer, CancelTimer: the machine's own number of the timer.</summary>
    public int Timer { get; init; }

    /// <summary>StartTimer: time until it fires.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Persist.</summary>
    public PersistRecord? Record { get; init; }

    /// <summary>Report.</summary>
    public Report? Report { get; init; }

    /// <summary>Retain, Release.</summary>
    public BufferHandle Buffer { get; init; }

    /// <summary>Spawn: who.</summary>
    public ActorId Actor { get; init; }

    /// <summary>Spawn: with which incarnation.</summary>
    public int Incarnation { get; init; }
}
