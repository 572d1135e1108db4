namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// How p and v₁ follow from each other in the single-input schemes: p = ((v₁ − v₁ᶜ)/v₁ᶜ)·w₅, hence v₁ = v₁ᶜ·(w₅ + p)/w₅.
/// Evaluated
/// in this order, a unit is dead exactly when p = −w₅.
/// </summary>
/// <param name="LastRatio">v₁/v₁ᶜ after the last update; it serves while w₅ is too small to divide by.</param>
internal readonly record struct FrontShare(double LastRatio)
{
    // Below this w₅ and p may be subnormal, and their quotient has few or no correct digits left.
    private const double SmallestDivisor = 1e-290;

    /// <summary>Before the first update: p = 0.</summary>
    public static FrontShare Untouched { get; } = new(1);

    /// <summary>v₁, recovered; 0 for a dead unit.</summary>
    /// <param name="initial">v₁ᶜ; 0 for a unit that is dead at the start.</param>
    /// <param name="weight">w₅.</param>
    /// <param name="front">p.</param>
    public double Activation(double initial, double weight, double front)
    {
        if (initial <= 0)
        {
            return 0;
        }

        return initial * (Math.Abs(weight) < SmallestDivisor ? LastRatio : (weight + front) / weight);
    }

    /// <summary>The share and p after an update.</summary>
    /// <param name="initial">v₁ᶜ, above 0.</param>
    /// <param name="preActivation">s₁ after the update; the unit dies where it is not above 0.</param>
    /// <param name="weight">w₅ after the update.</param>
    public static (FrontShare Share, double Front) After(double initial, double preActivation, double weight)
    {
        double v = Math.Max(0, preActivation);
        return (new FrontShare(v / initial), (v - initial) / initial * weight);
    }
}
