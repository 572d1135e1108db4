namespace DistTrain.Data;

/// <summary>
/// Where rows come from and how they are prepared. A closed family: <see cref="IdxSpec"/>, <see cref="CsvSpec"/>,
/// <see cref="LibSvmSpec"/>, <see cref="GeneratedSpec"/>.
/// </summary>
public abstract record DataSpec
{
    private protected DataSpec()
    {
    }

    /// <summary>The name in experiment files, for example <c>csv</c>.</summary>
    public abstract string Source { get; }

    /// <summary>How input values are mapped; as they are unless set.</summary>
    public Scaling Scaling { get; init; } = Scaling.None;

    /// <summary>
    /// Share of the rows, in (0, 1), drawn by the seed to be test rows; null for a test set of its own, or none. Both parts keep
    /// the order of the file.
    /// </summary>
    public double? TestFraction { get; init; }

    /// <summary>
    /// Whether each row's scaled inputs are its targets too, as an autoencoder needs. Labels, if there, stay readable.
    /// </summary>
    public bool TargetsAreInputs { get; init; }

    /// <summary>Whether machines of a cluster that do not have the files are sent them.</summary>
    public bool Ship { get; init; }
}
