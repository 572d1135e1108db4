using DistTrain.Numerics.Layers;

namespace DistTrain.Numerics.Networks;

/// <summary>
/// A first layer whose weights stay where they are while what their updates contribute is kept in the layer's own
/// coordinates (front
/// contribution): s = c·S₀ + Φ·Θ + b in place of x Wᵀ + b, with W = c·W₀ + Θᵀ E. S₀ = x W₀ᵀ are the outputs of the first
/// weights; Φ are the
/// rows' coordinates: the Gram matrix K = X Xᵀ with E = X, or C of X = C Q with E = Q. SGD with momentum, Nesterov and
/// weight decay
/// on (Θ, c) moves W exactly as on W.
/// </summary>
/// <remarks>
/// The layer's input for some rows is one matrix of rows × <see cref="InputWidth"/> values, laid out in blocks, one after
/// the other: Φ (rows × features), S₀
/// (rows × outputs), the rows' indices in the training set (rows × 1). Parameters: <c>theta</c> [features, outputs],
/// <c>scale</c> [1, 1], and the inner layer's bias
/// and slope.
/// </remarks>
/// <param name="Inner">The layer that starts with x Wᵀ + b.</param>
/// <param name="Features">F, columns of Φ: the training rows N in the Gram form, at most the smaller of N and d in the basis
/// form.</param>
/// <param name="Scatter">The Gram form, whose gradient of Θ is delta itself at the rows' indices and travels as the step's deltas, indices and number of rows;
/// otherwise it is Φᵀ delta.</param>
/// <param name="NeedsNorm">
/// Whether clipping needs ‖Xᵀ delta‖². In the Gram form that is not ‖d(loss)/dΘ‖²: the backward pass leaves it in the place
/// of the
/// scale's gradient, which is itself always 0. The rows must then come in one pass.
/// </param>
/// <param name="StepRows">Rows of a full step.</param>
public sealed record ContributedSpec(LayerSpec Inner, int Features, bool Scatter, bool NeedsNorm, int StepRows) : LayerSpec
{
    /// <inheritdoc/>
    public override string Kind => Inner.Kind;

    /// <summary>h′, columns of s: units, or units × pieces.</summary>
    public int Outputs => OutputsOf(Inner);

    /// <summary>Columns of the layer's input.</summary>
    public int InputWidth => checked(Features + Outputs + 1);

    /// <summary>Whether a parameter is Θ of a contributed layer.</summary>
    public static bool IsTheta(ParameterSpec parameter) => HasName(parameter, ".theta");

    /// <summary>Whether a parameter is c of a contributed layer.</summary>
    public static bool IsScale(ParameterSpec parameter) => HasName(parameter, ".scale");

    /// <summary>Columns of x Wᵀ of a layer that starts with it; 0 for one that does not.</summary>
    public static int OutputsOf(LayerSpec layer) => layer switch
    {
        DenseSpec dense => dense.Units,
        MaxoutSpec maxout => maxout.Units * maxout.Pieces,
        KCompetitiveSpec k => k.Units,
        _ => 0,
    };

    /// <summary>Θ.</summary>
    internal ParameterSpec Theta(int layer)
    {
        ParameterSpec theta = new($"layers.{layer}.theta", layer, Features, Outputs);
        return Scatter ? theta with { GradientRows = 1, GradientColumns = checked((StepRows * (Outputs + 1)) + 1), GathersRows = true } : theta;
    }

    private static bool HasName(ParameterSpec parameter, string suffix)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return parameter.Name.EndsWith(suffix, StringComparison.Ordinal);
    }
}
