using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Simulated;

/// <summary>What an event is.</summary>
internal enum EventKind
{
    /// <summary>The actor's machine is started.</summary>
    Started,

    /// <summary>A message reaches the actor's node.</summary>
    Arrival,

    /// <summary>The actor is done with what it did.</summary>
    Free,

    /// <summary>A timer fires.</summary>
    Timer,

    /// <summary>The actor has come so far as to start a job.</summary>
    JobReady,

    /// <summary>A job ends on its slot.</summary>
    JobEnd,

    /// <summary>The actor hears of a job's end.</summary>
    JobDone,

    /// <summary>A record is kept.</summary>
    Persisted,

    /// <summary>The coordinator hears that an actor is suspected.</summary>
    Suspicion,

    /// <summary>The coordinator hears that an actor was started.</summary>
    Joined,

    /// <summary>The coordinator hears that an actor is to live elsewhere.</summary>
    Moving,

    /// <summary>The coordinator hears that the user asks for a stop.</summary>
    StopRequested,

    /// <summary>An actor is started with a new incarnation.</summary>
    Spawn,

    /// <summary>A fault begins.</summary>
    FaultBegins,

    /// <summary>An actor dies within a snapshot.</summary>
    SnapshotCrash,

    /// <summary>A new coordinator takes the place of one that died.</summary>
    CoordinatorReplaced,

    /// <summary>A compute thread is done with something; the actor's index is the node's.</summary>
    Member,

    /// <summary>An actor's job takes too long.</summary>
    StragglerNoticed,

    /// <summary>A partition has lasted long enough for suspicion.</summary>
    PartitionNoticed,
}

/// <summary>Something that happens in a simulated run. Which fields count follows from <see cref="Kind"/>.</summary>
internal struct SimulatedEvent
{
    public EventKind Kind;

    /// <summary>The actor's index.</summary>
    public int Actor;

    /// <summary>The life of the actor that asked for it: nobody in a later life hears of it.</summary>
    public int Life;

    /// <summary>Timer: its number. Spawn: the incarnation. Faults: the position. Suspicion, Joined, Moving: who. Member: which. Arrival: who sent it, from 1; 0 for another node.</summary>
    public int Number;

    /// <summary>Timer: which setting of it. Joined: the incarnation.</summary>
    public int Setting;

    /// <summary>Arrival: when it was sent. JobEnd: when it started.</summary>
    public long Since;

    /// <summary>Arrival: the number of the message.</summary>
    public long Message;

    /// <summary>Arrival: the envelope where it travels by reference, its frame where it travels as bytes. Jobs: the job. Persisted: the record.</summary>
    public object? Object;

    /// <summary>JobDone: why the job could not be done; null when it is.</summary>
    public string? Problem;
}
