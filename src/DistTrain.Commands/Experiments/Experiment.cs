using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// An experiment file after reading: every setting has its value; only the network's input width waits for the data.
/// </summary>
internal sealed record Experiment
{
    /// <summary>All settings of the run; <see cref="NetworkSpec.Inputs"/> is 0 until <see cref="WithInputs"/>.</summary>
    public required RunSettings Settings { get; init; }

    /// <summary>The data, all paths absolute.</summary>
    public required DataSpec Data { get; init; }

    /// <summary>The engine's name.</summary>
    public required string Engine { get; init; }

    /// <summary>Seeds to train from; the best by final loss is kept.</summary>
    public int Restarts { get; init; } = 1;

    /// <summary>File of initial weights, absolute; null draws them from the seed.</summary>
    public string? InitFile { get; init; }

    /// <summary>Threads that compute; 0 for one per core.</summary>
    public int ComputeThreads { get; init; }

    /// <summary>Processes that the processes engine spreads layer actors over; 0 for as many as there are cores.</summary>
    public int Workers { get; init; }

    /// <summary>Replicas whose contributions are falsified.</summary>
    public IReadOnlyList<ByzantineReplica> Byzantine { get; init; } = [];

    /// <summary>What goes wrong.</summary>
    public IReadOnlyList<Fault> Faults { get; init; } = [];

    /// <summary>The actors, by whose names faults are given.</summary>
    public Topology Topology => new(
        Settings.Replicas,
        Settings.Stages.Count,
        Settings.ParameterServer.Shards,
        Settings.Method.Name == MethodCatalog.FrontContribution ? Settings.Method.Shares : 1,
        Settings.ParameterServer.Copies);

    /// <summary>What the simulated engine stands for.</summary>
    public SimulationSettings Simulation { get; init; } = new();

    /// <summary>Whether the simulated engine stands for this machine, which is measured when the run starts.</summary>
    public bool MeasuresMachine { get; init; }

    /// <summary>Whether a run computes nothing but how long it would take.</summary>
    public bool CountsTimeOnly => Engine == SimulatedEngine.EngineName && Simulation.TimingOnly;

    /// <summary>The same experiment with the width of its data.</summary>
    public Experiment WithInputs(int inputs) =>
        this with { Settings = Settings with { Network = Settings.Network with { Inputs = inputs } } };

    /// <summary>The same experiment from another seed.</summary>
    public Experiment WithSeed(ulong seed) => this with { Settings = Settings with { Seed = seed } };
}
