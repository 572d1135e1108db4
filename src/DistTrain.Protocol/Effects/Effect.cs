using System.Runtime.CompilerServices;
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

/// <summary>
/// One thing that a machine wants done. Which properties count follows from <see cref="Kind"/>; they share storage, because a step of a small network is
/// mostly effects.
/// </summary>
public struct Effect
{
    private object? _what;
    private long _number;
    private int _id;
    private BufferHandle _buffer;

    /// <summary>What to do.</summary>
    public EffectKind Kind { readonly get; private set; }

    /// <summary>Send; null for other kinds.</summary>
    public readonly Envelope? Envelope => Kind == EffectKind.Send ? Unsafe.As<Envelope>(_what) : null;

    /// <summary>RunJob; null for other kinds.</summary>
    public readonly Job? Job => Kind == EffectKind.RunJob ? Unsafe.As<Job>(_what) : null;

    /// <summary>StartTimer, CancelTimer: the machine's own number of the timer.</summary>
    public readonly int Timer => _id;

    /// <summary>StartTimer: time until it fires.</summary>
    public readonly TimeSpan Delay => new(_number);

    /// <summary>Persist; null for other kinds.</summary>
    public readonly PersistRecord? Record => Kind == EffectKind.Persist ? Unsafe.As<PersistRecord>(_what) : null;

    /// <summary>Report; null for other kinds.</summary>
    public readonly Report? Report => Kind == EffectKind.Report ? Unsafe.As<Report>(_what) : null;

    /// <summary>Retain, Release.</summary>
    public readonly BufferHandle Buffer => _buffer;

    /// <summary>Spawn: who.</summary>
    public readonly ActorId Actor => new(_id);

    /// <summary>Spawn: with which incarnation.</summary>
    public readonly int Incarnation => (int)_number;

    internal void Become(EffectKind kind, object what) => (Kind, _what) = (kind, what);

    internal void Become(EffectKind kind, int id, long number) => (Kind, _id, _number) = (kind, id, number);

    internal void Become(EffectKind kind, BufferHandle buffer) => (Kind, _buffer) = (kind, buffer);
}
