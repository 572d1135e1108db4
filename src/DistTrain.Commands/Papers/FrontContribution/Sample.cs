namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>An input with its gold label.</summary>
internal readonly record struct Sample(double X1, double X2, double Target)
{
    /// <summary>The four rows of XOR.</summary>
    public static IReadOnlyList<Sample> Xor { get; } = [new(0, 0, 0), new(0, 1, 1), new(1, 0, 1), new(1, 1, 0)];

    /// <summary>x₁² + x₂².</summary>
    public double SquaredNorm => (X1 * X1) + (X2 * X2);
}
