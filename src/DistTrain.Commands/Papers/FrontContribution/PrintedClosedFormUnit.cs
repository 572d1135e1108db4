namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// The paper's closed form, r₅ = w₅ + w₅³‖x‖²/(3·v₁ᶜ²) (eq. 29), with no state but w₅; y = r₅·v₁ᶜ + r₆·v₂ᶜ, and v₁ follows from
/// r₅·v₁ᶜ = w₅·v₁. Not exact: the integral in eq. 28 lacks its constant, so r₅ ≠ w₅ before the first update. One input only.
/// </summary>
internal sealed class PrintedClosedFormUnit(UnitWeights start, Sample input) : IHiddenUnit
{
    private readonly double _initial = start.Activation(input);
    private double _out = start.Out;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _out * Activation(x);

    /// <inheritdoc/>
    public void Update(in Sample x, double step) => _out -= step * Activation(x);

    private double Activation(in Sample x) =>
        _initial > 0 ? _initial * (1 + (_out * _out * x.SquaredNorm / (3 * _initial * _initial))) : 0;
}
