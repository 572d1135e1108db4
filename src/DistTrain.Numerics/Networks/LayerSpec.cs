namespace DistTrain.Numerics.Networks;

/// <summary>What one layer of a network is. A closed family: <see cref="DenseSpec"/>, <see cref="MaxoutSpec"/>,
/// <see cref="KCompetitiveSpec"/>, <see cref="DropoutSpec"/>; and <see cref="ContributedSpec"/> and <see cref="HistorySpec"/>,
/// which no experiment file names.</summary>
public abstract record LayerSpec
{
    private protected LayerSpec()
    {
    }

    /// <summary>The name in experiment files, for example <c>k-competitive</c>.</summary>
    public abstract string Kind { get; }
}

/// <summary>y = f(x Wᵀ + b), W: units × inputs.</summary>
/// <param name="Units">Outputs, at least 1.</param>
/// <param name="Activation">The function f.</param>
/// <param name="Bias">Whether b is there.</param>
/// <param name="Slope">Leaky ReLU's fixed slope, or PReLU's first one; null for the default (0.01 and 0.25).</param>
/// <param name="TiedTo">Index of an earlier layer whose W, transposed, serves as this layer's W; null for a W of its own.</param>
/// <param name="Initializer">Null: He for the ReLU family, Glorot for the others.</param>
public sealed record DenseSpec(
    int Units, ActivationKind Activation, bool Bias = true, double? Slope = null, int? TiedTo = null, InitializerSpec? Initializer = null)
    : LayerSpec
{
    /// <inheritdoc/>
    public override string Kind => "dense";
}

/// <summary>
/// y_j = max over pieces p of (x Wᵀ + b)_{j·pieces+p}; W: (units·pieces) × inputs (Goodfellow et al. 2013).
/// At a tie the first piece wins.
/// </summary>
public sealed record MaxoutSpec(int Units, int Pieces, bool Bias = true, InitializerSpec? Initializer = null) : LayerSpec
{
    /// <inheritdoc/>
    public override string Kind => "maxout";
}

/// <summary>
/// KATE's k-competitive layer (Chen and Zaki 2017): z = tanh(x Wᵀ + b); in training the ⌈k/2⌉ largest positive and ⌊k/2⌋ most
/// negative units win, each gains Alpha times the sum of the losers of its sign, and losers output 0. In evaluation it is tanh.
/// </summary>
public sealed record KCompetitiveSpec(int Units, int K, double Alpha, bool Bias = true, InitializerSpec? Initializer = null) : LayerSpec
{
    /// <inheritdoc/>
    public override string Kind => "k-competitive";
}

/// <summary>Inverted dropout: in training each value is 0 with probability Rate and divided by 1 − Rate otherwise; in
/// evaluation the identity.</summary>
/// <param name="Rate">In [0, 1).</param>
public sealed record DropoutSpec(double Rate) : LayerSpec
{
    /// <inheritdoc/>
    public override string Kind => "dropout";
}
