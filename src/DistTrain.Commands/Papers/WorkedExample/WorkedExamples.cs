using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;

namespace DistTrain.Commands.Papers.WorkedExample;

/// <summary>
/// The examples of the lecture "Backpropagation, activation function" (Inha University), which takes the network from Mazur's "A
/// step by step backpropagation example" and the graphs from Stanford's CS231n, computed by the library's layers, losses and
/// optimizer.
/// </summary>
internal static class WorkedExamples
{
    private const double LearningRate = 0.5;
    private static readonly double[] Inputs = [0.05, 0.10], Targets = [0.01, 0.99];
    private static readonly double[] HiddenWeights = [0.15, 0.20, 0.25, 0.30], HiddenBias = [0.35, 0.35];
    private static readonly double[] OutputWeights = [0.40, 0.45, 0.50, 0.55], OutputBias = [0.60, 0.60];

    /// <summary>Every number that is printed, in order.</summary>
    public static IReadOnlyList<PrintedFigure> All() => [.. Affine(), .. Product(), .. SigmoidNeuron(), .. TwoLayers()];

    /// <summary>f = wx + b at w = −2, x = 5, b = 3.</summary>
    private static IEnumerable<PrintedFigure> Affine()
    {
        const string Section = "f = wx + b";
        const string Note = "printed as rule and values";
        using SmallStage layer = new(ActivationKind.Linear, [-2], [3], [5]);
        (double[] weight, double[] bias, double[] input) = layer.Backward(1);
        return
        [
            new(Section, "df/dw = x", "5", weight[0]) { Note = Note },
            new(Section, "df/dx = w", "-2", input[0]) { Note = Note },
            new(Section, "df/db = 1", "1", bias[0]),
        ];
    }

    /// <summary>f = (x + y)z at (−2, 5, −4) as two linear layers: q = [1 1]·(x, y), f = z·q.</summary>
    private static IEnumerable<PrintedFigure> Product()
    {
        const string Section = "f = (x + y)z";
        using SmallStage sum = new(ActivationKind.Linear, [1, 1], [], [-2, 5]);
        using SmallStage product = new(ActivationKind.Linear, [-4], [], sum.Output);
        (double[] z, _, double[] q) = product.Backward(1);
        (_, _, double[] xy) = sum.Backward(q);
        const string Note = "printed as rule and values";
        return
        [
            new(Section, "q = x + y", "3", sum.Output[0]) { Note = Note },
            new(Section, "f = qz", "-12", product.Output[0]) { Note = Note },
            new(Section, "df/dq = z", "-4", q[0]) { Note = Note },
            new(Section, "df/dz = q", "3", z[0]) { Note = Note },
            new(Section, "df/dx = df/dq · dq/dx", "-4", xy[0]) { Note = Note },
            new(Section, "df/dy = df/dq · dq/dy", "-4", xy[1]) { Note = Note },
        ];
    }

    /// <summary>σ(w₀x₀ + w₁x₁ + w₂) with w = (2, −3, −3), x = (−1, −2).</summary>
    private static IEnumerable<PrintedFigure> SigmoidNeuron()
    {
        const string Section = "sigmoid neuron";
        using SmallStage neuron = new(ActivationKind.Sigmoid, [2, -3], [-3], [-1, -2]);
        (double[] weight, double[] bias, double[] input) = neuron.Backward(1);
        return
        [
            new(Section, "df/d(net) = (1 − σ)σ", "0.20", bias[0]),
            new(Section, "df/dx0 = 2 · 0.20", "0.40", input[0]) { Within = 2 * 0.005, Note = "the slide doubles the rounded 0.20" },
            new(Section, "df/dw0 = −1 · 0.20", "-0.20", weight[0]),
        ];
    }

    /// <summary>The 2-2-2 sigmoid network: forward pass, backward pass and one step with η = 0.5.</summary>
    private static IEnumerable<PrintedFigure> TwoLayers()
    {
        using SmallStage hiddenNet = new(ActivationKind.Linear, HiddenWeights, HiddenBias, Inputs);
        using SmallStage hidden = new(ActivationKind.Sigmoid, HiddenWeights, HiddenBias, Inputs);
        using SmallStage outputNet = new(ActivationKind.Linear, OutputWeights, OutputBias, hidden.Output);
        using SmallStage output = new(ActivationKind.Sigmoid, OutputWeights, OutputBias, hidden.Output, LossKind.HalfSquaredError);
        return [.. Forward(hiddenNet, hidden, outputNet, output), .. Backward(hidden, output)];
    }

    private static IEnumerable<PrintedFigure> Forward(SmallStage hiddenNet, SmallStage hidden, SmallStage outputNet, SmallStage output)
    {
        const string Section = "two layers, forward";
        return
        [
            new(Section, "net_h1", "0.3775", hiddenNet.Output[0]),
            new(Section, "out_h1", "0.593269992", hidden.Output[0]),
            new(Section, "out_h2", "0.596884378", hidden.Output[1]),
            new(Section, "net_o1", "1.1059035967", outputNet.Output[0])
            {
                Misprint = true,
                Note = "printed out_o1 needs 1.105905967",
            },
            new(Section, "out_o1", "0.75136507", output.Output[0]),
            new(Section, "out_o2", "0.772928465", output.Output[1]),
            new(Section, "E_o1", "0.274811083", HalfSquare(output.Output[0], Targets[0])),
            new(Section, "E_o2", "0.023560026", HalfSquare(output.Output[1], Targets[1])),
            new(Section, "E_total", "0.298371109", output.Loss(Targets).Loss),
        ];
    }

    private static IEnumerable<PrintedFigure> Backward(SmallStage hidden, SmallStage output)
    {
        const string Section = "two layers, backward";
        double[] error = output.Loss(Targets).Gradient;
        double[] slope = output.Backward(1, 1).Bias, hiddenSlope = hidden.Backward(1, 1).Bias;
        double fromFirst = output.Backward(error[0], 0).Input[0], fromSecond = output.Backward(0, error[1]).Input[0];
        (double[] outputGradient, double[] delta, double[] back) = output.Backward(error);
        double[] hiddenGradient = hidden.Backward(back).Weight;
        double[] newOutput = AfterStep(OutputWeights, outputGradient), newHidden = AfterStep(HiddenWeights, hiddenGradient);
        return
        [
            new(Section, "dE/d(out_o1)", "0.74136507", error[0]),
            new(Section, "d(out_o1)/d(net_o1)", "0.186815602", slope[0]),
            new(Section, "dE/dw5", "0.082167041", outputGradient[0]),
            new(Section, "dE_o1/d(net_o1)", "0.138498562", delta[0]),
            new(Section, "dE_o1/d(out_h1)", "0.055399425", fromFirst),
            new(Section, "dE_o2/d(out_h1)", "-0.019049119", fromSecond) { Within = 3 * 0.5e-9, Note = "the lecture subtracts two rounded numbers" },
            new(Section, "dE/d(out_h1)", "0.036350306", back[0]),
            new(Section, "d(out_h1)/d(net_h1)", "0.241300709", hiddenSlope[0]),
            new(Section, "dE/dw1", "0.000438568", hiddenGradient[0]),
            .. Weights("two layers, after a step", 5, ["0.35891648", "0.408666186", "0.511301270", "0.561370121"], newOutput),
            .. Weights("two layers, after a step", 1, ["0.149780716", "0.19956143", "0.24975114", "0.29950229"], newHidden),
        ];
    }

    private static IEnumerable<PrintedFigure> Weights(string section, int first, string[] printed, double[] ours) =>
        printed.Select((text, i) => new PrintedFigure(section, $"w{first + i}+", text, ours[i]));

    /// <summary>½(y − t)² of one output: the library's loss of a linear unit.</summary>
    private static double HalfSquare(double output, double target)
    {
        using SmallStage unit = new(ActivationKind.Linear, [1], [], [output], LossKind.HalfSquaredError);
        return unit.Loss(target).Loss;
    }

    private static double[] AfterStep(double[] weights, double[] gradient)
    {
        double[] next = new double[weights.Length];
        new Optimizer<double>(OptimizerDefaults.For(OptimizerKind.Sgd, LearningRate)).Apply(LearningRate, 1, 1, weights, gradient, [], next, []);
        return next;
    }
}
