using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// The machines and the network that the simulated engine stands for. The defaults are those of a core of a current server and of 10 Gbit/s Ethernet within a
/// rack. A job takes <see cref="JobOverhead"/> and then the longer of its operations at the rate of operations and its bytes at the rate of memory (the
/// roofline model: Williams, Waterman and Patterson 2009). None of these can change the weights of a synchronous run.
/// </summary>
public sealed record SimulationSettings
{
    /// <summary>Floating-point operations a second of one compute slot, a multiply-add counted as two; above 0.</summary>
    public double FlopsPerSecond { get; init; } = 5e10;

    /// <summary>The same for backward passes; null for the same.</summary>
    public double? BackwardFlopsPerSecond { get; init; }

    /// <summary>Bytes a second that one compute slot reads and writes; above 0.</summary>
    public double MemoryBytesPerSecond { get; init; } = 1e10;

    /// <summary>Fixed time of every job.</summary>
    public TimeSpan JobOverhead { get; init; } = TimeSpan.FromMicroseconds(2);

    /// <summary>Fixed time that an actor spends on every message that it sends or receives.</summary>
    public TimeSpan MessageOverhead { get; init; } = TimeSpan.FromMicroseconds(2);

    /// <summary>Time of a message between two nodes, its own length apart.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>Bytes a second from one node to another; 0 for no limit.</summary>
    public double BandwidthBytesPerSecond { get; init; } = 1.25e9;

    /// <summary>Most that a message takes longer; drawn uniformly for each.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Share of messages between nodes that are lost, from 0 up to, but not, 1.</summary>
    public double Drop { get; init; }

    /// <summary>Share of messages between nodes that arrive twice, from 0 up to, but not, 1.</summary>
    public double Duplicate { get; init; }

    /// <summary>Share of messages between nodes that later ones may overtake, from 0 up to, but not, 1.</summary>
    public double Reorder { get; init; }

    /// <summary>Most that a message that may be overtaken, and the second copy of a doubled one, take longer.</summary>
    public TimeSpan ReorderWindow { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long after its death, or after the coordinator no longer reaches it, an actor is suspected.</summary>
    public TimeSpan SuspectAfter { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time to keep a record.</summary>
    public TimeSpan Persist { get; init; }

    /// <summary>
    /// A measured machine in place of rates and overheads: a node has its compute threads, <see cref="SlotsPerNode"/> of them, and actors share them with jobs as
    /// they do in the threads engine. One node, as many slots as compute threads and no latency stand for a run of that engine on that machine. Null for
    /// the rates.
    /// </summary>
    public MachineProfile? Machine { get; init; }

    /// <summary>Declared times of jobs in place of rates; null for the rates.</summary>
    public DeclaredCosts? Costs { get; init; }

    /// <summary>Nodes, on which actors are placed in turn; 0 for a node for each actor.</summary>
    public int Nodes { get; init; }

    /// <summary>Jobs that a node runs at once; at least 1.</summary>
    public int SlotsPerNode { get; init; } = 1;

    /// <summary>Whether to count time and bytes only: no arithmetic, no tensors, no weights at the end.</summary>
    public bool TimingOnly { get; init; }

    /// <summary>Whether to write every event into the journal; null writes unless <see cref="TimingOnly"/>.</summary>
    public bool? Journal { get; init; }

    /// <summary>Seed of what happens to messages; null for the run's.</summary>
    public ulong? Seed { get; init; }
}
