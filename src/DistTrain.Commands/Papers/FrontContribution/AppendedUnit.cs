namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// Figure 3, top: w₁ and w₂ never move; w₅ is updated and p, appended to it, stands for what the update of w₁ and w₂ would have
/// contributed: w₅·v₁ = (w₅ + p)·v₁ᶜ (eq. 21, 22). One input only.
/// </summary>
/// <remarks>A unit that is dead at the start has no p: it contributes nothing and stays dead.</remarks>
internal sealed class AppendedUnit(UnitWeights start, Sample input) : IHiddenUnit
{
    private readonly double _initial = start.Activation(input);
    private double _out = start.Out, _appended;
    private FrontShare _front = FrontShare.Untouched;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _initial * (_out + _appended);

    /// <inheritdoc/>
    public void Update(in Sample x, double step)
    {
        double v = _front.Activation(_initial, _out, _appended);
        if (v > 0)
        {
            _out -= step * v;
            (_front, _appended) = FrontShare.After(_initial, v - (step * _out * x.SquaredNorm), _out);
        }
    }
}
