namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// Eq. (5), printed again as eq. (32), chained as it stands: s and S are those of the last input, and the next input's
/// follow from
/// them alone. Not exact: (s + S)/2 is w₁·x₁, so the first input with x₁ = 0 loses w₁, and likewise for w₂.
/// </summary>
internal sealed class ChainedStatesUnit(UnitWeights start) : IHiddenUnit
{
    // The states before the first input are those of (1, 1), which make eq. (5) give the printed initial states.
    private double _sum = start.Left + start.Right, _difference = start.Left - start.Right, _out = start.Out;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _out * Math.Max(0, Left(x) + Right(x));

    /// <inheritdoc/>
    public void Update(in Sample x, double step)
    {
        (double left, double right) = (Left(x), Right(x));
        (_sum, _difference) = (left + right, left - right);
        if (_sum > 0)
        {
            _out -= step * _sum;
            _sum -= step * _out * x.SquaredNorm;
            _difference -= step * _out * ((x.X1 * x.X1) - (x.X2 * x.X2));
        }
    }

    private double Left(in Sample x) => (_sum + _difference) / 2 * x.X1;

    private double Right(in Sample x) => (_sum - _difference) / 2 * x.X2;
}
