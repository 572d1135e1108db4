namespace DistTrain.Commands.Papers.FrontContribution;

/// <summary>How far a scheme's output was from backpropagation's over one run, on every input that the run uses.</summary>
/// <param name="Largest">Largest |y_FC − y_BP|.</param>
/// <param name="LargestRelative">Largest |y_FC − y_BP| / max(1, |y_BP|).</param>
/// <param name="AtStart">Largest |y_FC − y_BP| before the first update.</param>
/// <param name="Curve">Largest |y_FC − y_BP| of each of equal parts of the run.</param>
internal sealed record Comparison(double Largest, double LargestRelative, double AtStart, IReadOnlyList<double> Curve)
{
    /// <summary>Points of <see cref="Curve"/>.</summary>
    public const int Points = 72;

    /// <summary>Runs both side by side from the same start; the inputs take turns, one an iteration.</summary>
    public static Comparison Run(Scheme scheme, Start start, Sample input, double learningRate, int iterations)
    {
        IReadOnlyList<Sample> inputs = scheme.Inputs(input);
        TwoUnits reference = new(new BackpropagationUnit(start.First), new BackpropagationUnit(start.Second)), tested = scheme.Build(start, input);
        double[] curve = new double[Points];
        (double largest, double relative, double atStart) = (0, 0, 0);
        for (int iteration = 0; iteration <= iterations; iteration++)
        {
            (double error, double share) = Distance(reference, tested, inputs);
            int point = (int)((long)iteration * Points / (iterations + 1));
            curve[point] = Worse(curve[point], error);
            (largest, relative) = (Worse(largest, error), Worse(relative, share));
            atStart = iteration == 0 ? error : atStart;
            Sample presented = inputs[iteration % inputs.Count];
            reference.Step(presented, learningRate);
            tested.Step(presented, learningRate);
        }

        return new Comparison(largest, relative, atStart, curve);
    }

    private static (double Error, double Relative) Distance(TwoUnits reference, TwoUnits tested, IReadOnlyList<Sample> inputs)
    {
        (double error, double relative) = (0, 0);
        foreach (Sample x in inputs)
        {
            double expected = reference.Output(x), distance = Math.Abs(tested.Output(x) - expected);
            (error, relative) = (Worse(error, distance), Worse(relative, distance / Math.Max(1, Math.Abs(expected))));
        }

        return (error, relative);
    }

    // An output that is not a number is infinitely wrong; Math.Max alone would hide it from a comparison.
    private static double Worse(double a, double b) => double.IsNaN(b) ? double.PositiveInfinity : Math.Max(a, b);
}
