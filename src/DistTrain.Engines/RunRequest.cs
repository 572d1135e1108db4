using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Storage;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines;

/// <summary>One run, ready to start: validated settings, loaded data and where to keep snapshots.</summary>
public sealed record RunRequest
{
    private readonly bool? _goesOn;

    /// <summary>The resolved experiment.</summary>
    public required RunSettings Settings { get; init; }

    /// <summary>Training and test rows in the run's precision.</summary>
    public required RunData Data { get; init; }

    /// <summary>Folder for snapshots and the log; null keeps snapshots in memory only, and no log.</summary>
    public string? JournalFolder { get; init; }

    /// <summary>Committed step to go on from: the newest that is kept in <see cref="JournalFolder"/>; 0 starts anew.</summary>
    public long ResumeFromStep { get; init; }

    /// <summary>Given initial weights: parameter name to values in the run's precision, little-endian, row by row; null
    /// draws them from the seed.</summary>
    public IReadOnlyDictionary<string, byte[]>? InitialWeights { get; init; }

    /// <summary>Threads that compute; 0 for one per core.</summary>
    public int ComputeThreads { get; init; }

    /// <summary>Replicas whose contributions are falsified, by replica index; empty for an honest run.</summary>
    public IReadOnlyList<ByzantineReplica> Byzantine { get; init; } = [];

    /// <summary>What goes wrong, in any order; an engine refuses what it cannot do.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>The machine and network that the simulated engine stands for; no other engine reads it.</summary>
    public SimulationSettings Simulation { get; init; } = new();

    /// <summary>
    /// Whether something can go on from the run's end: by default where <see cref="JournalFolder"/> keeps it. Only then is there anybody to read the velocity of
    /// weights that front contribution expands, which takes as long to expand as they do; without it the weights are the same.
    /// </summary>
    internal bool GoesOn
    {
        get => _goesOn ?? JournalFolder is not null;
        init => _goesOn = value;
    }

    /// <summary>The disk that the journal folder is on.</summary>
    internal IDisk Disk { get; init; } = FileDisk.Instance;

    /// <summary>The resolved experiment as text, from which another process of the same program makes the same settings and data; null
    /// where there is none.</summary>
    public string? Experiment { get; init; }

    /// <summary>Processes that layer actors are spread over; 0 for as many as there are cores. Only the processes engine reads it.</summary>
    public int Workers { get; init; }

    /// <summary>Hears what the run spends its time on; null for nobody.</summary>
    public IRunTrace? Trace { get; init; }

    /// <summary>Is given the run's controls once it has started; null for nobody. Engines without controls never call it.</summary>
    public Action<IRunControl>? Started { get; init; }
}

/// <summary>A replica whose gradients reach the parameter server multiplied by <paramref name="Factor"/> (sign-flip:
/// −1).</summary>
public sealed record ByzantineReplica(int Replica, double Factor);
