using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Effects;

/// <summary>Kinds of stimuli.</summary>
public enum StimulusKind
{
    /// <summary>The actor was started.</summary>
    Started,

    /// <summary>An envelope arrived.</summary>
    Message,

    /// <summary>A timer fired.</summary>
    Timer,

    /// <summary>A job completed.</summary>
    JobDone,

    /// <summary>A job could not be done: no memory, no file.</summary>
    JobFailed,

    /// <summary>A record is kept.</summary>
    Persisted,

    /// <summary>A record could not be kept. Final.</summary>
    PersistFailed,

    /// <summary>The host suspects that an actor has died; the coordinator decides.</summary>
    Suspected,

    /// <summary>The host has started an actor as it was asked to; the coordinator waits for it before it brings a copy of a shard up to date.</summary>
    Joined,

    /// <summary>The host wants an actor to live elsewhere: its node leaves in order, or another has joined. The coordinator has it started anew at a committed step.</summary>
    Moving,

    /// <summary>The user asks for a stop at a committed step.</summary>
    StopRequested,
}

/// <summary>
/// One thing that happened to an actor. Which properties count follows from <see cref="Kind"/>; they share storage, because a step of a small network is mostly stimuli.
/// </summary>
public readonly record struct Stimulus(StimulusKind Kind)
{
    private readonly object? _what;
    private readonly int _id;

    /// <summary>Message; null for other kinds.</summary>
    public Envelope? Envelope
    {
        get => Kind == StimulusKind.Message ? (Envelope?)_what : null;
        init => _what = value;
    }

    /// <summary>JobDone, JobFailed; null for other kinds.</summary>
    public Job? Job
    {
        get => Kind is StimulusKind.JobDone or StimulusKind.JobFailed ? (Job?)_what : null;
        init => _what = value;
    }

    /// <summary>Timer.</summary>
    public int Timer
    {
        get => _id;
        init => _id = value;
    }

    /// <summary>Persisted, PersistFailed; null for other kinds.</summary>
    public PersistRecord? Record
    {
        get => Kind is StimulusKind.Persisted or StimulusKind.PersistFailed ? (PersistRecord?)_what : null;
        init => _what = value;
    }

    /// <summary>JobFailed, PersistFailed: why, for people.</summary>
    public string? Problem { get; init; }

    /// <summary>Suspected, Joined, Moving: who.</summary>
    public ActorId Actor
    {
        get => new(_id);
        init => _id = value.Index;
    }

    /// <summary>Joined: with which incarnation.</summary>
    public int Incarnation { get; init; }
}
