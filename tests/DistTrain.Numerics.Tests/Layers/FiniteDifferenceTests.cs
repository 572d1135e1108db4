using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

/// <summary>Analytic gradients of parameters and inputs against central differences of the loss, in float64.</summary>
public sealed class FiniteDifferenceTests
{
    private const int Rows = 5;

    public static TheoryData<ActivationKind, LossKind> ActivationsAndLosses
    {
        get
        {
            var data = new TheoryData<ActivationKind, LossKind>();
            foreach (ActivationKind activation in Enum.GetValues<ActivationKind>())
            {
                data.Add(activation, LossKind.HalfSquaredError);
                data.Add(activation, LossKind.SquaredError);
            }

            data.Add(ActivationKind.Softmax, LossKind.CrossEntropy);
            data.Add(ActivationKind.Sigmoid, LossKind.BinaryCrossEntropy);
            data.Add(ActivationKind.Softmax, LossKind.BinaryCrossEntropy);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(ActivationsAndLosses))]
    public void ADenseLayersGradientsMatchAsTheLastLayer(ActivationKind activation, LossKind loss)
        => Check(new NetworkSpec(6, [new DenseSpec(4, activation)]), loss);

    [Theory]
    [MemberData(nameof(ActivationsAndLosses))]
    public void ADenseLayersGradientsMatchInTheMiddle(ActivationKind activation, LossKind loss)
        => Check(
            new NetworkSpec(6, [new DenseSpec(7, activation), new DenseSpec(5, activation), new DenseSpec(4, LastFor(loss))]),
            loss);

    [Fact]
    public void LayersWithoutBiasMatch()
        => Check(
            new NetworkSpec(6, [
                new DenseSpec(5, ActivationKind.Prelu, Bias: false), new MaxoutSpec(5, 2, Bias: false),
                new KCompetitiveSpec(6, 2, 1.5, Bias: false), new DenseSpec(3, ActivationKind.Softmax, Bias: false)]),
            LossKind.CrossEntropy);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.0)]
    [InlineData(-0.4)]
    public void LeakyAndLearnedSlopesOfEitherSignMatch(double slope)
        => Check(
            new NetworkSpec(6, [
                new DenseSpec(5, ActivationKind.LeakyRelu, Slope: slope), new DenseSpec(5, ActivationKind.Prelu, Slope: slope),
                new DenseSpec(3, ActivationKind.Linear)]),
            LossKind.HalfSquaredError);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void MaxoutMatches(int pieces)
        => Check(new NetworkSpec(6, [new MaxoutSpec(5, pieces), new MaxoutSpec(4, pieces)]), LossKind.SquaredError);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(9)]
    public void KCompetitiveMatches(int k)
        => Check(
            new NetworkSpec(6, [new KCompetitiveSpec(9, k, 1.7), new DenseSpec(4, ActivationKind.Sigmoid)]),
            LossKind.BinaryCrossEntropy);

    [Fact]
    public void KCompetitiveMatchesInEvaluation()
        => Check(
            new NetworkSpec(6, [new KCompetitiveSpec(9, 3, 1.7), new DenseSpec(4, ActivationKind.Linear)]),
            LossKind.SquaredError,
            training: false);

    [Fact]
    public void DropoutMatchesWithItsMaskFixedByTheContext()
        => Check(
            new NetworkSpec(6, [
                new DropoutSpec(0.3), new DenseSpec(8, ActivationKind.Tanh), new DropoutSpec(0.5),
                new DenseSpec(3, ActivationKind.Softmax)]),
            LossKind.CrossEntropy);

    [Fact]
    public void ATiedDecoderMatches()
        => Check(
            new NetworkSpec(6, [new DenseSpec(4, ActivationKind.Tanh), new DenseSpec(6, ActivationKind.Sigmoid, TiedTo: 0)]),
            LossKind.BinaryCrossEntropy);

    [Fact]
    public void TwoDecodersTiedToOneEncoderMatch()
        => Check(
            new NetworkSpec(6, [
                new KCompetitiveSpec(4, 2, 0.8), new DenseSpec(6, ActivationKind.Tanh, TiedTo: 0),
                new DenseSpec(4, ActivationKind.Elu),
                new DenseSpec(6, ActivationKind.Linear, Bias: false, TiedTo: 0)]),
            LossKind.HalfSquaredError);

    private static ActivationKind LastFor(LossKind loss) => loss switch
    {
        LossKind.CrossEntropy => ActivationKind.Softmax,
        LossKind.BinaryCrossEntropy => ActivationKind.Sigmoid,
        _ => ActivationKind.Linear,
    };

    private static void Check(NetworkSpec network, LossKind loss, bool training = true)
    {
        NetworkChecks.Validate(network, loss);
        using var stage = new TestStage<double>(network, Rows, loss) { RowWeight = 1.0 / Rows };
        stage.Context = stage.Context with { Training = training };
        TestValues.Fill(stage.Input.Span, 11);
        TestValues.Fill(stage.Target.Span, 12, 0.05, 0.95);
        for (int i = 0; i < stage.Parameters.Length; i++)
        {
            if (!stage.Program.Parameters[i].Name.EndsWith("slope", StringComparison.Ordinal))
            {
                TestValues.Fill(stage.Parameters[i].Span, (ulong)(20 + i));
            }
        }

        stage.Pass();
        for (int i = 0; i < stage.Parameters.Length; i++)
        {
            Compare(stage, stage.Parameters[i].Span, stage.Gradients[i].Span.ToArray(), stage.Program.Parameters[i].Name);
        }

        Compare(stage, stage.Input.Span, stage.InputSignal.Span.ToArray(), "input");
    }

    private static void Compare(TestStage<double> stage, Span<double> values, double[] gradient, string name)
    {
        const double h = 1e-6;
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            values[i] = value + h;
            double above = LossOf(stage);
            values[i] = value - h;
            double below = LossOf(stage);
            values[i] = value;
            double expected = (above - below) / (2 * h);
            gradient[i].ShouldBe(expected, 2e-8 * Math.Max(1, Math.Abs(expected)), $"{name}[{i}]");
        }
    }

    private static double LossOf(TestStage<double> stage)
    {
        stage.Forward().ShouldBe(-1);
        return stage.Loss(evaluation: true).LossSum / Rows;
    }
}
