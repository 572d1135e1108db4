using System.Runtime.CompilerServices;
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
    // One reference and two numbers: a mailbox copies them twice, and every reference that is stored costs the collector's bookkeeping.
    private readonly object? _what;
    private readonly int _id;

    private Stimulus(StimulusKind kind, object what)
        : this(kind) => _what = what;

    /// <summary>What kind of thing. It also tells what the reference is, so it never changes.</summary>
    public StimulusKind Kind { get; } = Kind;

    /// <summary>Message; null for other kinds.</summary>
    public Envelope? Envelope => Kind == StimulusKind.Message ? Unsafe.As<Envelope>(_what) : null;

    /// <summary>JobDone, JobFailed; null for other kinds.</summary>
    public Job? Job => Kind switch
    {
        StimulusKind.JobDone => Unsafe.As<Job>(_what),
        StimulusKind.JobFailed => ((Failed<Job>)_what!).What,
        _ => null,
    };

    /// <summary>Persisted, PersistFailed; null for other kinds.</summary>
    public PersistRecord? Record => Kind switch
    {
        StimulusKind.Persisted => Unsafe.As<PersistRecord>(_what),
        StimulusKind.PersistFailed => ((Failed<PersistRecord>)_what!).What,
        _ => null,
    };

    /// <summary>JobFailed, PersistFailed: why, for people.</summary>
    public string? Problem => (_what as Failed)?.Problem;

    /// <summary>Timer.</summary>
    public int Timer
    {
        get => _id;
        init => _id = value;
    }

    /// <summary>Suspected, Joined, Moving: who.</summary>
    public ActorId Actor
    {
        get => new(_id);
        init => _id = value.Index;
    }

    /// <summary>Joined: with which incarnation.</summary>
    public int Incarnation { get; init; }

    /// <summary>An envelope arrived.</summary>
    public static Stimulus Arrived(Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(envelope);
        return new Stimulus(StimulusKind.Message, envelope);
    }

    /// <summary>A job is done, or could not be.</summary>
    /// <param name="job">The job.</param>
    /// <param name="problem">Why it could not be done, for people; null when it was.</param>
    public static Stimulus Ended(Job job, string? problem = null)
    {
        ArgumentNullException.ThrowIfNull(job);
        return problem is null ? new Stimulus(StimulusKind.JobDone, job) : new Stimulus(StimulusKind.JobFailed, new Failed<Job>(job, problem));
    }

    /// <summary>A record is kept, or could not be.</summary>
    /// <param name="record">The record.</param>
    /// <param name="problem">Why it could not be kept, for people; null when it is.</param>
    public static Stimulus Kept(PersistRecord record, string? problem = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        return problem is null
            ? new Stimulus(StimulusKind.Persisted, record)
            : new Stimulus(StimulusKind.PersistFailed, new Failed<PersistRecord>(record, problem));
    }

    private abstract record Failed(string Problem);

    private sealed record Failed<T>(T What, string Problem) : Failed(Problem);
}
