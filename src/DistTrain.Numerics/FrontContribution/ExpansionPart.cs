using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>One matrix to expand: the weights, or their velocity.</summary>
/// <param name="Theta">F × h′: Θ, or its velocity.</param>
/// <param name="Scale">c, or its velocity.</param>
/// <param name="Result">Receives Scale·W₀ + Θᵀ E: h′ × columns.</param>
public readonly record struct ExpansionPart<T>(TensorView<T> Theta, T Scale, TensorView<T> Result)
    where T : unmanaged;
