namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// A closed form that is right in the limit η → 0: gradient flow conserves v₁² − ‖x‖²w₅² while the ReLU is active, hence
/// r₅ = w₅·√(1 + ‖x‖²(w₅² − w₅ᶜ²)/v₁ᶜ²) with no state but w₅. Its error is in proportion to η. One input only.
/// </summary>
internal sealed class ConservedClosedFormUnit(UnitWeights start, Sample input) : IHiddenUnit
{
    private readonly double _initial = start.Activation(input), _initialOut = start.Out;
    private double _out = start.Out;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _out * Activation(x);

    /// <inheritdoc/>
    public void Update(in Sample x, double step) => _out -= step * Activation(x);

    private double Activation(in Sample x)
    {
        if (_initial <= 0)
        {
            return 0;
        }

        // Difference of squares as a product, which keeps its digits while w₅ is near its start.
        double square = 1 + (x.SquaredNorm * (_out - _initialOut) * (_out + _initialOut) / (_initial * _initial));
        return _initial * Math.Sqrt(Math.Max(0, square));
    }
}
