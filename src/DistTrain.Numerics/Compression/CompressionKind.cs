namespace DistTrain.Numerics.Compression;

/// <summary>How a gradient is made smaller for the wire.</summary>
public enum CompressionKind
{
    /// <summary>As it is.</summary>
    None,

    /// <summary>IEEE binary16, rounded to nearest even.</summary>
    Fp16,

    /// <summary>Eight bits a value with one scale a tensor.</summary>
    Int8,

    /// <summary>The largest values only, with error feedback.</summary>
    TopK,
}
