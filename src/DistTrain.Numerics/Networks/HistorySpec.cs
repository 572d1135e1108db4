using DistTrain.Numerics.Layers;

namespace DistTrain.Numerics.Networks;

/// <summary>
/// A layer behind the first one whose weights stay where they are while what their updates contribute is kept as a history of
/// the layer's inputs V_τ and deltas Δ_τ (front contribution with every layer collapsed):
/// W = p₀ W₀ + p₁ U₀ + Σ_τ a_τ Δ_τᵀ V_τ, where U₀ is the velocity that W₀ had.
/// </summary>
/// <remarks>
/// The velocity is the same sum with coefficients of its own, (0, 1, 0, …) at first as the weights' are (1, 0, 0, …). SGD is linear:
/// v ← μv + (∇ + λW), W ← W − η(v, or ∇ + λW + μv) moves every coefficient by itself, and ∇ = κ Δ_BᵀV_B is the coefficient κ of B's
/// own rows. So momentum, Nesterov, weight decay, clipping and changing rates are SGD on the vector (p, a) with the gradient 1 for
/// the step's rows and 0 for all else. A history that has no room for a step is folded first: the two sums become W₀ and U₀.
/// The one parameter is <c>history</c>: base (W₀, below it U₀ where there is a velocity), V, Δ, coefficients, number of rows. Its
/// gradient is the step's V_B, Δ_B and number of rows, its optimizer state the velocity's coefficients.
/// </remarks>
/// <param name="Inner">The layer that starts with x Wᵀ + b.</param>
/// <param name="Inputs">d, columns of x.</param>
/// <param name="RowsMax">Rows that the history has room for, at least <paramref name="StepRows"/>.</param>
/// <param name="StepRows">Rows of a full step.</param>
/// <param name="HasVelocity">Whether there is a velocity, and U₀ with it.</param>
public sealed record HistorySpec(LayerSpec Inner, int Inputs, int RowsMax, int StepRows, bool HasVelocity) : LayerSpec
{
    private const string Suffix = ".history";

    /// <inheritdoc/>
    public override string Kind => Inner.Kind;

    /// <summary>h, columns of x Wᵀ: units, or units × pieces.</summary>
    public int Outputs => ContributedSpec.OutputsOf(Inner);

    /// <summary>Matrices of the base: W₀, and U₀ where there is a velocity.</summary>
    public int BaseCount => HasVelocity ? 2 : 1;

    /// <summary>Coefficients: one for each matrix of the base and row of the history.</summary>
    public int Coefficients => BaseCount + RowsMax;

    /// <summary>Values of the parameter, which may be too many for one tensor.</summary>
    public long Values => ((long)BaseCount * Outputs * Inputs) + ((long)RowsMax * (Inputs + Outputs)) + Coefficients + 1;

    /// <summary>Whether a parameter is a history.</summary>
    public static bool IsHistory(ParameterSpec parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter.Name.EndsWith(Suffix, StringComparison.Ordinal);
    }

    /// <summary>
    /// The history form of a layer that starts with W x; null for one that does not. There is room for as many rows as the layer
    /// has inputs, or for those of one step where these are more.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="layer">The layer's index.</param>
    /// <param name="stepRows">Rows of a full step.</param>
    /// <param name="hasVelocity">Whether the optimizer has a velocity.</param>
    public static HistorySpec? Of(NetworkSpec network, int layer, int stepRows, bool hasVelocity)
    {
        ArgumentNullException.ThrowIfNull(network);
        LayerSpec inner = network.Layers[layer];
        int inputs = NetworkShape.InputWidth(network, layer);
        return ContributedSpec.OutputsOf(inner) == 0 ? null : new HistorySpec(inner, inputs, Math.Max(inputs, stepRows), stepRows, hasVelocity);
    }

    /// <summary>The weight that the history stands for.</summary>
    public ParameterSpec Weight(int layer) => new($"layers.{layer}.weight", layer, Outputs, Inputs);

    /// <summary>The parameter.</summary>
    internal ParameterSpec Parameter(int layer) => new($"layers.{layer}{Suffix}", layer, 1, checked((int)Values))
    {
        GradientColumns = checked((StepRows * (Inputs + Outputs)) + 1),
        GathersRows = true,
        StateLength = Coefficients,
    };
}
