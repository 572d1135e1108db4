namespace DistTrain.Data.Sources;

/// <summary>Rows of one part, training or test, before scaling.</summary>
/// <param name="Name">The source's name for messages.</param>
/// <param name="Features">Inputs.</param>
internal sealed record RawData(string Name, RawFeatures Features)
{
    /// <summary>Class of each row, or null.</summary>
    public int[]? Labels { get; init; }

    /// <summary>Name of each class, or null.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Rows × <see cref="TargetWidth"/> target values, or null.</summary>
    public double[]? Targets { get; init; }

    /// <summary>Values of one target vector.</summary>
    public int TargetWidth { get; init; }

    /// <summary>Name of each column of <see cref="Features"/>, or null.</summary>
    public IReadOnlyList<string>? InputNames { get; init; }

    /// <summary>SHA-256 of the rows. Scaling may change them in place, so this is asked for before.</summary>
    public string Sha256()
    {
        using RowHash hash = new();
        hash.Add<int>([Features.Rows, Features.Columns, Labels is null ? 0 : 1, TargetWidth]);
        Features.AddTo(hash);
        hash.Add<int>(Labels);
        hash.Add<double>(Targets);
        return hash.End();
    }

    public RawData Select(int[] rows) => this with
    {
        Features = Features.Select(rows),
        Labels = Labels is null ? null : RowCopy.Of<int>(Labels, 1, rows),
        Targets = Targets is null ? null : RowCopy.Of<double>(Targets, TargetWidth, rows),
    };
}

/// <summary>What a source gives: training rows, and test rows if it has any.</summary>
internal sealed record RawPair(RawData Train, RawData? Test);
