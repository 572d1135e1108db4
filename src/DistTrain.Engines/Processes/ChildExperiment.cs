using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Processes;

/// <summary>What a process makes of a resolved experiment's text.</summary>
/// <param name="Settings">The settings; the network's input width may be missing.</param>
/// <param name="LoadData">Loads the rows; called only where somebody needs them.</param>
/// <param name="ReadInitialWeights">The initial weights of the network, as in a request, once its input width is known.</param>
/// <param name="Byzantine">As in a request.</param>
public sealed record ChildExperiment(
    RunSettings Settings,
    Func<RunData> LoadData,
    Func<NetworkSpec, IReadOnlyDictionary<string, byte[]>?> ReadInitialWeights,
    IReadOnlyList<ByzantineReplica> Byzantine);
