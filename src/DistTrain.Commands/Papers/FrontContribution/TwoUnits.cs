namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>The 2-2-1 network with loss ½(y − y_g)²: two hidden units of one scheme and a linear output.</summary>
internal sealed class TwoUnits(IHiddenUnit first, IHiddenUnit second)
{
    /// <summary>y (eq. 11).</summary>
    public double Output(in Sample x) => first.Contribution(x) + second.Contribution(x);

    /// <summary>One step of gradient descent.</summary>
    public void Step(in Sample x, double learningRate)
    {
        double step = learningRate * (Output(x) - x.Target);
        first.Update(x, step);
        second.Update(x, step);
    }
}
