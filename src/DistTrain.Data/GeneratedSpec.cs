namespace DistTrain.Data;

/// <summary>
/// A data set made by the program: the same bytes for the same settings on every machine. The seed of a run does not change it;
/// <see cref="DataSeed"/> does.
/// </summary>
/// <param name="Kind">Which one.</param>
public sealed record GeneratedSpec(GeneratedKind Kind) : DataSpec
{
    /// <inheritdoc/>
    public override string Source => Kind switch
    {
        GeneratedKind.Xor => "xor",
        GeneratedKind.Spirals => "spirals",
        GeneratedKind.Blobs => "blobs",
        _ => "glyphs",
    };

    /// <summary>Training rows; null for the default (spirals and blobs 2,000, glyphs 12,000). Xor has 4.</summary>
    public int? TrainRows { get; init; }

    /// <summary>Test rows, 0 for no test set; null for the default (spirals and blobs 1,000, glyphs 2,000).</summary>
    public int? TestRows { get; init; }

    /// <summary>Classes of spirals (default 2) and blobs (default 3).</summary>
    public int? Classes { get; init; }

    /// <summary>Columns of blobs, at least 2 (the default).</summary>
    public int? Inputs { get; init; }

    /// <summary>
    /// Deviation of the noise: of the position in spirals (default 0.02, the arms reach radius 1) and blobs (default 1,
    /// neighbouring centres are 6 apart), of the grey values in glyphs (default 0.12, white is 1).
    /// </summary>
    public double? Noise { get; init; }

    /// <summary>Seed of the data; apart from the run's seed, so that runs from several seeds see the same rows.</summary>
    public ulong DataSeed { get; init; } = 2718281828;
}
