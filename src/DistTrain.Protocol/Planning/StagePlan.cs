using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Planning;

/// <summary>One stage: consecutive layers that one layer actor per replica owns.</summary>
/// <param name="Index">From 0.</param>
/// <param name="FirstLayer">Index of its first layer in the network.</param>
/// <param name="LayerCount">At least 1.</param>
/// <param name="Parameters">Its tensors, in layer order.</param>
/// <param name="Slices">Indices of its slices, in shard order.</param>
/// <param name="Rule">What the stage learns besides its layers, its tensors after theirs; null for nothing.</param>
/// <param name="Carried">What it carries from step to step, beside its first slice.</param>
public sealed record StagePlan(
    int Index,
    int FirstLayer,
    int LayerCount,
    IReadOnlyList<ParameterSpec> Parameters,
    IReadOnlyList<int> Slices,
    LocalRuleSpec? Rule = null,
    CarriedPlan Carried = default);
