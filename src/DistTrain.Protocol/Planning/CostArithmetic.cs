namespace DistTrain.Protocol.Planning;

/// <summary>
/// Multiply-adds of matrix products; floating-point operations are twice as many. Element-wise work (activations, losses, the optimizer) is not in them.
/// </summary>
/// <param name="PerStep">Of a full step.</param>
/// <param name="Steps">Of all steps.</param>
/// <param name="Once">One-time work: contributions and expansion.</param>
/// <param name="Evaluations">Of all evaluations: the test rows each time, the training rows at the end.</param>
/// <param name="UpdatesPerStep">Parameter values that the optimizer updates in a step.</param>
public sealed record CostArithmetic(double PerStep, double Steps, double Once, double Evaluations, double UpdatesPerStep)
{
    /// <summary>Of the whole planned run.</summary>
    public double Total => Steps + Once + Evaluations;
}
