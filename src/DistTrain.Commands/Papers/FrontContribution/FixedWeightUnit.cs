namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// Figure 3, middle: even w₅ never moves; p alone is updated, in two parts: its own (what the update of w₅ would have added) and
/// the front's (what the update of w₁ and w₂ would have contributed). One input only.
/// </summary>
/// <remarks>A unit that is dead at the start has no p: it contributes nothing and stays dead.</remarks>
internal sealed class FixedWeightUnit(UnitWeights start, Sample input) : IHiddenUnit
{
    private readonly double _initial = start.Activation(input), _weight = start.Out;
    private double _own, _frontPart;
    private FrontShare _front = FrontShare.Untouched;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _initial * (_weight + _own + _frontPart);

    /// <inheritdoc/>
    public void Update(in Sample x, double step)
    {
        double v = _front.Activation(_initial, _weight + _own, _frontPart);
        if (v > 0)
        {
            _own -= step * v;
            double effective = _weight + _own;
            (_front, _frontPart) = FrontShare.After(_initial, v - (step * effective * x.SquaredNorm), effective);
        }
    }
}
