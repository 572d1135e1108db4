namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// Figure 3, bottom, for any sequence of inputs: the states of input (1, 1), s = w₁ + w₂ and S = w₁ − w₂, take the place of the
/// weights (eq. 32 with the states of one fixed input). Input x sees (s + S)/2·x₁ + (s − S)/2·x₂. Another input may revive a
/// unit that is dead on one.
/// </summary>
internal sealed class StatesUnit(UnitWeights start) : IHiddenUnit
{
    private double _sum = start.Left + start.Right, _difference = start.Left - start.Right, _out = start.Out;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _out * Math.Max(0, PreActivation(x));

    /// <inheritdoc/>
    public void Update(in Sample x, double step)
    {
        double s = PreActivation(x);
        if (s > 0)
        {
            _out -= step * s;
            _sum -= step * _out * (x.X1 + x.X2);
            _difference -= step * _out * (x.X1 - x.X2);
        }
    }

    private double PreActivation(in Sample x) => ((_sum + _difference) / 2 * x.X1) + ((_sum - _difference) / 2 * x.X2);
}
