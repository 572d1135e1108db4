namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>
/// The reference: backpropagation in the paper's order (eq. 13 and 14), where the gradient of w₁ and w₂ uses the already
/// updated w₅′. ReLU's gradient at 0 is 0.
/// </summary>
internal sealed class BackpropagationUnit(UnitWeights start) : IHiddenUnit
{
    private double _left = start.Left, _right = start.Right, _out = start.Out;

    /// <inheritdoc/>
    public double Contribution(in Sample x) => _out * Math.Max(0, PreActivation(x));

    /// <inheritdoc/>
    public void Update(in Sample x, double step)
    {
        double s = PreActivation(x);
        if (s > 0)
        {
            _out -= step * s;
            _left -= step * _out * x.X1;
            _right -= step * _out * x.X2;
        }
    }

    /// <summary>Whether the ReLU passes this input.</summary>
    public bool IsActive(in Sample x) => PreActivation(x) > 0;

    private double PreActivation(in Sample x) => (_left * x.X1) + (_right * x.X2);
}
