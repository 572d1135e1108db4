using System.Text.Json;
using System.Text.Json.Serialization;
using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>A data file that a run needs.</summary>
/// <param name="Path">Below the datasets folder, with forward slashes.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its contents' hash, in lower-case hexadecimal.</param>
internal sealed record JobFile(string Path, long Bytes, string Sha256);

/// <summary>Everything that a node needs to take part in a run.</summary>
/// <param name="RunId">Identity of the run.</param>
/// <param name="Name">The experiment's name, for people.</param>
/// <param name="Experiment">The resolved experiment; its files are named below the datasets folder.</param>
/// <param name="Seed">The run's seed, which the experiment's restarts change.</param>
/// <param name="Precision">The data's precision.</param>
/// <param name="Data">The data's sizes.</param>
/// <param name="Files">The data files.</param>
/// <param name="ComputeThreads">Threads that compute on each node; 0 for what the node itself says.</param>
/// <param name="From">Where a resumed run goes on; null for the beginning.</param>
/// <param name="Client">The client's actor.</param>
/// <param name="Ships">Whether a node without the data files fetches them from the client.</param>
/// <param name="HoldsSnapshot">Whether the client holds the snapshot of <paramref name="From"/>, as after an orderly stop; where nodes went down, <paramref name="From"/> is what their logs tell.</param>
internal sealed record ClusterJob(
    long RunId,
    string Name,
    string Experiment,
    ulong Seed,
    Precision Precision,
    DataFacts Data,
    IReadOnlyList<JobFile> Files,
    int ComputeThreads,
    CoordinatorProgress? From,
    string Client,
    bool Ships = false,
    bool HoldsSnapshot = false)
{
    /// <summary>Bits of a run's number that count its leaders.</summary>
    private const int LeaderBits = 16;

    /// <summary>The number of a run under its n-th leader: envelopes carry it, so nobody listens to a leader that was replaced.</summary>
    public static long RunOf(long runId, long leader) => (runId << LeaderBits) | leader;

    /// <summary>The identity of a run by its number under a leader.</summary>
    public static long IdOf(long run) => run >> LeaderBits;

    /// <summary>Which leader a run's number names.</summary>
    public static long LeaderOf(long run) => run & ((1L << LeaderBits) - 1);

    /// <summary>As bytes.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, NodeJson.Default.ClusterJob);

    /// <summary>Out of bytes; throws <see cref="JsonException"/> when they are no job.</summary>
    public static ClusterJob FromBytes(byte[] bytes) =>
        JsonSerializer.Deserialize(bytes, NodeJson.Default.ClusterJob) ?? throw new JsonException("an empty job");
}

/// <summary>What nodes tell each other beyond plain fields, as JSON of fixed types.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ClusterJob))]
[JsonSerializable(typeof(CoordinatorProgress))]
[JsonSerializable(typeof(KeptRun))]
[JsonSerializable(typeof(StatusReport))]
internal sealed partial class NodeJson : JsonSerializerContext;
