using System.Text.Json.Serialization;
using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Processes;

/// <summary>The first line to a process: who it is, and everything that it needs.</summary>
/// <param name="Process">Its number in the placement.</param>
/// <param name="Folder">The folder of the sockets.</param>
/// <param name="Token">What every connection shows first; hexadecimal.</param>
/// <param name="Experiment">The resolved experiment.</param>
/// <param name="Seed">The run's seed, which the experiment's restarts change.</param>
/// <param name="Precision">The data's precision.</param>
/// <param name="Data">The data's sizes.</param>
/// <param name="Journal">Folder of snapshots and log.</param>
/// <param name="Claim">The run's claim on that folder.</param>
/// <param name="LogBefore">The log's last segment from before the run.</param>
/// <param name="TellSteps">Steps that the coordinator's process tells of when the coordinator first issues them.</param>
/// <param name="Workers">Processes of layer actors.</param>
/// <param name="Cores">Cores that the placement counts with.</param>
/// <param name="ComputeThreads">Threads that compute in this process.</param>
/// <param name="BeatEveryMs">How often it says that it lives.</param>
internal sealed record ChildJob(
    int Process,
    string Folder,
    string Token,
    string Experiment,
    ulong Seed,
    Precision Precision,
    DataFacts Data,
    string Journal,
    long Claim,
    long LogBefore,
    long[] TellSteps,
    int Workers,
    int Cores,
    int ComputeThreads,
    int BeatEveryMs);

/// <summary>What a process is told to do.</summary>
internal enum CommandKind
{
    /// <summary>Start the coordinator, going on from what its log holds, or where there is none from some progress.</summary>
    Lead,

    /// <summary>Start an actor.</summary>
    Spawn,

    /// <summary>To the coordinator: an actor's process is gone.</summary>
    Suspect,

    /// <summary>To the coordinator: a copy of a shard was started.</summary>
    Joined,

    /// <summary>To the coordinator: stop at a committed step.</summary>
    Stop,

    /// <summary>The final-layer actor trains alone from now on, or no longer.</summary>
    Alone,

    /// <summary>A snapshot is complete, and what it stands for need not be kept.</summary>
    Snapshot,

    /// <summary>Another process than before has a place: leave the connection to the one before.</summary>
    Reconnect,

    /// <summary>Say what was counted, and end.</summary>
    End,
}

/// <summary>A line to a process. Which fields count follows from the kind.</summary>
internal readonly record struct Command(CommandKind Kind)
{
    /// <summary>Lead, Spawn: which run, for without a log a coordinator that is started anew begins another.</summary>
    public long Run { get; init; }

    /// <summary>Spawn, Suspect, Joined: who.</summary>
    public int Actor { get; init; }

    /// <summary>Spawn: with which incarnation. Lead: the highest that a coordinator of the run may have had before.</summary>
    public int Incarnation { get; init; }

    /// <summary>Lead: where to go on; null for what the log says.</summary>
    public CoordinatorProgress? Progress { get; init; }

    /// <summary>Alone: whether it does. Lead: whether the coordinator takes the place of one that this run had.</summary>
    public bool On { get; init; }

    /// <summary>Snapshot: of which step.</summary>
    public long Step { get; init; }

    /// <summary>Reconnect: whose place.</summary>
    public int Process { get; init; }
}

/// <summary>What a process tells.</summary>
internal enum NoteKind
{
    /// <summary>It lives.</summary>
    Beat,

    /// <summary>The coordinator wants an actor started.</summary>
    Spawn,

    /// <summary>A copy of a shard was started as the coordinator wanted.</summary>
    Joined,

    /// <summary>The coordinator issues a step that the parent wants to hear of.</summary>
    Issued,

    /// <summary>A report of an actor.</summary>
    Report,

    /// <summary>Something worth a line.</summary>
    Notice,

    /// <summary>What was sent; the last line.</summary>
    Counts,

    /// <summary>It cannot go on, and ends.</summary>
    Failed,
}

/// <summary>A line from a process. Which fields count follows from the kind.</summary>
internal sealed record Note(NoteKind Kind)
{
    /// <summary>Spawn, Joined: for which run.</summary>
    public long Run { get; init; }

    /// <summary>Spawn: who.</summary>
    public int Actor { get; init; }

    /// <summary>Spawn: with which incarnation.</summary>
    public int Incarnation { get; init; }

    /// <summary>Issued: the step.</summary>
    public long Issued { get; init; }

    /// <summary>Notice, Failed: the line.</summary>
    public string? Text { get; init; }

    /// <summary>Report.</summary>
    public StepCommitted? Step { get; init; }

    /// <summary>Report.</summary>
    public EpochCompleted? Epoch { get; init; }

    /// <summary>Report.</summary>
    public EvaluationCompleted? Evaluation { get; init; }

    /// <summary>Report.</summary>
    public SnapshotCompleted? Snapshot { get; init; }

    /// <summary>Report.</summary>
    public Recovered? Recovered { get; init; }

    /// <summary>Report.</summary>
    public TrainsAlone? Alone { get; init; }

    /// <summary>Report.</summary>
    public RunEnded? Ended { get; init; }

    /// <summary>Counts: messages by tag.</summary>
    public SortedDictionary<string, long>? Messages { get; init; }

    /// <summary>Counts: bytes of tensors in them.</summary>
    public long Bytes { get; init; }

    /// <summary>Counts: messages to or from other layer actors while the final-layer actor trained alone.</summary>
    public long MessagesWhileAlone { get; init; }

    /// <summary>The report in this note.</summary>
    [JsonIgnore]
    public Report? AnyReport => (Report?)Step ?? (Report?)Epoch ?? (Report?)Evaluation ?? (Report?)Snapshot ?? (Report?)Recovered ?? (Report?)Alone ?? Ended;

    /// <summary>A note of a report.</summary>
    public static Note Of(Report report) => new(NoteKind.Report)
    {
        Step = report as StepCommitted,
        Epoch = report as EpochCompleted,
        Evaluation = report as EvaluationCompleted,
        Snapshot = report as SnapshotCompleted,
        Recovered = report as Recovered,
        Alone = report as TrainsAlone,
        Ended = report as RunEnded,
    };
}

/// <summary>The lines between parent and children as JSON.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ChildJob))]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(Note))]
internal sealed partial class ControlJson : JsonSerializerContext;
