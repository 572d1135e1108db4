namespace DistTrain.Numerics.Networks;

/// <summary>Losses: summed over a row's outputs, averaged over the rows of a step.</summary>
public enum LossKind
{
    /// <summary>½ Σ (y − t)².</summary>
    HalfSquaredError,

    /// <summary>Σ (y − t)².</summary>
    SquaredError,

    /// <summary>−Σ t ln y; fused with a final softmax. Needs outputs that are a distribution.</summary>
    CrossEntropy,

    /// <summary>−Σ (t ln y + (1 − t) ln(1 − y)); fused with a final sigmoid. Needs outputs in (0, 1).</summary>
    BinaryCrossEntropy,
}
