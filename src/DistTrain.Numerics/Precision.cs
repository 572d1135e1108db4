namespace DistTrain.Numerics;

/// <summary>The floating-point type that a run stores parameters, activations and gradients in.</summary>
public enum Precision
{
    /// <summary>IEEE binary32, 4 bytes a value.</summary>
    Float32,

    /// <summary>IEEE binary64, 8 bytes a value.</summary>
    Float64,
}
