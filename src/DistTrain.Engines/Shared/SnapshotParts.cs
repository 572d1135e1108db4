using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>What a part of a slice's snapshot is.</summary>
internal enum SnapshotPartKind
{
    /// <summary>Values of each parameter.</summary>
    Weights,

    /// <summary>The optimizer's state of each parameter.</summary>
    OptimizerState,

    /// <summary>A replica's error-feedback residual of each parameter.</summary>
    Residual,

    /// <summary>Something that a stage carries from step to step, which belongs to no parameter.</summary>
    Carried,

    /// <summary>Values of each parameter some steps ago.</summary>
    OlderWeights,
}

/// <summary>A part of a slice's snapshot: the buffers of a restore job in their order.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Number">Residual: the replica; carried: replica and position; older weights: how many steps ago.</param>
internal readonly record struct SnapshotPart(SnapshotPartKind Kind, int Number)
{
    /// <summary>The part at a position among a restore job's buffers.</summary>
    public static SnapshotPart At(RunPlan plan, SlicePlan slice, int position)
    {
        int carried = position - 2, older = carried - (plan.Settings.Replicas * slice.CarriedCount);
        return position switch
        {
            0 => new SnapshotPart(SnapshotPartKind.Weights, 0),
            1 => new SnapshotPart(SnapshotPartKind.OptimizerState, 0),
            _ when older >= 0 => new SnapshotPart(SnapshotPartKind.OlderWeights, older + 1),
            _ when plan.CarriesResidual && carried % slice.CarriedCount == 0 =>
                new SnapshotPart(SnapshotPartKind.Residual, carried / slice.CarriedCount),
            _ => new SnapshotPart(SnapshotPartKind.Carried, carried),
        };
    }

    /// <summary>The tensor's name in a file, for a part that has one tensor for each parameter.</summary>
    public string NameOf(ParameterSpec parameter) => Kind switch
    {
        SnapshotPartKind.Weights => parameter.Name,
        SnapshotPartKind.OptimizerState => $"optimizer/{parameter.Name}",
        SnapshotPartKind.Residual => $"carried-{Number}/{parameter.Name}",
        _ => $"before-{Number}/{parameter.Name}",
    };

    /// <summary>The tensor's name in a file, for a part that belongs to a stage.</summary>
    public string NameOf(SlicePlan slice) => $"carried/stage-{slice.Stage}/{Number}";
}
