namespace DistTrain.Numerics.Networks;

/// <summary>How a layer's weights start. Biases start at 0, unless the initializer is uniform(a, b), which draws them
/// too.</summary>
public enum InitializerKind
{
    /// <summary>U(−a, a), a = √(6 / (in + out)) (Glorot and Bengio 2010).</summary>
    Glorot,

    /// <summary>U(−a, a), a = √(6 / in) (He et al. 2015).</summary>
    He,

    /// <summary>U(−a, a), a = √(3 / in) (LeCun et al. 1998).</summary>
    LeCun,

    /// <summary>U(low, high), biases included.</summary>
    Uniform,
}

/// <summary>An initializer and its bounds; <c>Low</c> and <c>High</c> count for <see cref="InitializerKind.Uniform"/>
/// only.</summary>
public sealed record InitializerSpec(InitializerKind Kind, double Low = 0, double High = 0);
