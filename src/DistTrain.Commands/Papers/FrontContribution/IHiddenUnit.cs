namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>One hidden unit of the 2-2-1 network, in whatever variables a scheme keeps instead of its weights.</summary>
internal interface IHiddenUnit
{
    /// <summary>What the unit adds to the output y for an input: w₅·v₁ in backpropagation's words.</summary>
    double Contribution(in Sample x);

    /// <summary>One update on an input.</summary>
    /// <param name="x">The input.</param>
    /// <param name="step">η·(y − y_g), from the output before the update.</param>
    void Update(in Sample x, double step);
}
