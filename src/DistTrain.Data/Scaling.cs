using DistTrain.Numerics;

namespace DistTrain.Data;

/// <summary>
/// How input values are mapped before training. The parts apply in this order: x ← x / Scale; x ← asinh(x / Asinh);
/// log-max; then standardization, fitted on the training rows only and applied to training and test rows alike.
/// </summary>
/// <param name="Scale">Divisor of every value, above 0; null for none.</param>
/// <param name="Asinh">a of asinh(x / a), above 0; null for none.</param>
/// <param name="LogMax">
/// x ← log₁₀(1 + x), divided by the largest such value of the row (Chen and Zaki 2017). A row of zeros stays zero;
/// negative values are refused.
/// </param>
/// <param name="Standardize">Whether mean 0 and deviation 1 are made per column, over all values, or not at all.</param>
public sealed record Scaling(
    double? Scale = null, double? Asinh = null, bool LogMax = false, Standardization Standardize = Standardization.None)
{
    /// <summary>Leaves every value as it is.</summary>
    public static Scaling None { get; } = new();

    /// <summary>Throws <see cref="InvalidInputException"/> when a divisor is not a positive finite number.</summary>
    public void Validate()
    {
        RequirePositive("scale", Scale);
        RequirePositive("asinh", Asinh);
    }

    private static void RequirePositive(string key, double? value)
    {
        if (value is double given && !(given > 0 && double.IsFinite(given)))
        {
            throw new InvalidInputException(FormattableString.Invariant($"data: {key}: {given} is not a finite number above 0."));
        }
    }
}
