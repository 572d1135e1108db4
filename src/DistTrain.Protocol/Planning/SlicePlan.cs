using DistTrain.Numerics.Layers;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// The tensors of one stage that live on one shard, one after the other in one buffer: the unit in which weights and
/// gradients travel.
/// </summary>
/// <param name="Index">From 0, by stage, then shard.</param>
/// <param name="Stage">The stage.</param>
/// <param name="Shard">The shard.</param>
/// <param name="Parameters">Tensors in layer order.</param>
/// <param name="Length">Sum of the tensors' lengths, in values.</param>
/// <param name="Frozen">Whether steps leave it alone. Frozen slices come after all others.</param>
/// <param name="CarriedCount">Buffers of carried state for each replica.</param>
/// <param name="OlderVersions">Versions of the weights that are kept besides the newest committed one.</param>
public sealed record SlicePlan(
    int Index,
    int Stage,
    int Shard,
    IReadOnlyList<ParameterSpec> Parameters,
    int Length,
    bool Frozen = false,
    int CarriedCount = 0,
    int OlderVersions = 0)
{
    /// <summary>Sum of the lengths of the tensors' gradients, in values.</summary>
    public int GradientLength { get; } = Parameters.Sum(parameter => parameter.GradientLength);

    /// <summary>Sum of the lengths of one vector of optimizer state for each tensor, in values.</summary>
    public int StateLength { get; } = Parameters.Sum(parameter => parameter.StateLength);
}
