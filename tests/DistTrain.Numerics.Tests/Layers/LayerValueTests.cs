using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

public sealed class LayerValueTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(2.0)]
    [InlineData(6.26)]
    public void TheKCompetitiveExampleOfThePaperHolds(double alpha)
    {
        using TestStage<double> stage = KCompetitive(2, alpha, 0.8, 0.2, 0.1, -0.1, -0.3, -0.6);
        double[] expected = [0.8 + (0.3 * alpha), 0, 0, 0, 0, -0.6 - (0.4 * alpha)];
        ShouldBe(stage.Output.Span, expected, 1e-15);
    }

    [Fact]
    public void AKCompetitiveLoserGetsAlphaTimesTheWinnersTotalSignal()
    {
        using TestStage<double> stage = KCompetitive(4, 2.0, 0.8, 0.5, 0.1, -0.1, -0.3, -0.6);
        new double[] { 1, 10, 100, 1000, 10000, 100000 }.CopyTo(stage.Signal.Span);
        stage.Backward();
        double[] signal = [1, 10, 22, 220000, 10000, 100000];
        double[] z = [0.8, 0.5, 0.1, -0.1, -0.3, -0.6];
        ShouldBe(stage.InputSignal.Span, signal.Zip(z, (g, y) => g * (1 - (y * y))).ToArray(), 1e-9);
    }

    [Fact]
    public void WithAnOddKThePositiveSideHasTheLargerShare()
    {
        using TestStage<double> stage = KCompetitive(3, 0.0, 0.8, 0.2, 0.1, -0.1, -0.3, -0.6);
        ShouldBe(stage.Output.Span, [0.8, 0.2, 0, 0, 0, -0.6], 1e-15);
    }

    [Fact]
    public void AtAKCompetitiveTieTheLowerIndexWins()
    {
        using TestStage<double> stage = KCompetitive(2, 1.0, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5);
        double z = Math.Tanh(Math.Atanh(0.5));
        ShouldBe(stage.Output.Span, [3 * z, 0, 0, -3 * z, 0, 0], 1e-14);
    }

    [Fact]
    public void FewerPositiveUnitsThanPlacesAllWin()
    {
        using TestStage<double> stage = KCompetitive(4, 3.0, 0.5, -0.1, -0.2, -0.3, -0.4, 0.0);
        ShouldBe(stage.Output.Span, [0.5, 0, 0, -0.3 - (3 * 0.3), -0.4 - (3 * 0.3), 0], 1e-14);
    }

    [Fact]
    public void InEvaluationAKCompetitiveLayerIsTanh()
    {
        using TestStage<double> stage = KCompetitive(2, 6.26, 0.8, 0.2, 0.1, -0.1, -0.3, -0.6);
        stage.Context = stage.Context with { Training = false };
        stage.Forward();
        ShouldBe(stage.Output.Span, [0.8, 0.2, 0.1, -0.1, -0.3, -0.6], 1e-15);
    }

    [Fact]
    public void AtZeroReluAndItsRelativesPassNoMoreThanTheirLeftSide()
    {
        foreach ((ActivationKind kind, double expected) in new[]
        {
            (ActivationKind.Relu, 0.0), (ActivationKind.LeakyRelu, 0.01), (ActivationKind.Prelu, 0.25),
        })
        {
            using TestStage<double> stage = Identity(new DenseSpec(3, kind, Bias: false), 0.0, -0.0, 1.0);
            new double[] { 1, 1, 1 }.CopyTo(stage.Signal.Span);
            stage.Backward();
            ShouldBe(stage.InputSignal.Span, [expected, expected, 1], 1e-300, kind.ToString());
        }
    }

    [Fact]
    public void AtAMaxoutTieTheFirstPieceTakesTheWholeGradient()
    {
        var network = new NetworkSpec(1, [new MaxoutSpec(2, 3)]);
        using var stage = new TestStage<double>(network, 1);
        new double[] { 1, 2, 2, 5, 5, 5 }.CopyTo(stage.Parameter("layers.0.weight").Span);
        stage.Input.Span[0] = 1;
        stage.Forward();
        ShouldBe(stage.Output.Span, [2, 5], 1e-300);
        new double[] { 3, 4 }.CopyTo(stage.Signal.Span);
        stage.Backward();
        ShouldBe(stage.Gradient("layers.0.bias").Span, [0, 3, 0, 4, 0, 0], 1e-300);
    }

    [Fact]
    public void DropoutKeepsTheMeanAndRepeatsItsMask()
    {
        var network = new NetworkSpec(2000, [new DropoutSpec(0.25)]);
        using var stage = new TestStage<double>(network, 4);
        stage.Input.Span.Fill(1);
        stage.Forward();
        double[] first = stage.Output.Span.ToArray();
        first.Distinct().Order().ShouldBe([0, 1 / 0.75]);
        first.Average().ShouldBe(1, 0.04);
        stage.Signal.Span.Fill(1);
        stage.Backward();
        stage.InputSignal.Span.ToArray().ShouldBe(first);
        stage.Context = stage.Context with { Step = 4 };
        stage.Forward();
        stage.Output.Span.ToArray().ShouldNotBe(first);
    }

    [Fact]
    public void ADropoutMaskFollowsTheSampleAndNotItsMicroBatch()
    {
        var network = new NetworkSpec(50, [new DropoutSpec(0.5)]);
        using var whole = new TestStage<float>(network, 4) { Context = new PassContext(1, 2, 0, true) };
        using var part = new TestStage<float>(network, 2) { Context = new PassContext(1, 2, 2, true) };
        whole.Input.Span.Fill(1);
        part.Input.Span.Fill(1);
        whole.Forward();
        part.Forward();
        part.Output.Span.ToArray().ShouldBe(whole.Output.Span[100..].ToArray());
    }

    [Fact]
    public void InEvaluationDropoutIsTheIdentity()
    {
        using var stage = new TestStage<float>(new NetworkSpec(9, [new DropoutSpec(0.5)]), 3);
        stage.Context = stage.Context with { Training = false };
        TestValues.Fill(stage.Input.Span, 1);
        stage.Forward();
        stage.Output.Span.ToArray().ShouldBe(stage.Input.Span.ToArray());
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void TheFirstLayerWithAValueThatIsNotFiniteIsNamed(double bad)
    {
        LayerSpec[] kinds =
        [
            new DenseSpec(3, ActivationKind.Relu), new DenseSpec(3, ActivationKind.Elu), new DenseSpec(3, ActivationKind.Softmax),
            new DenseSpec(3, ActivationKind.LeakyRelu), new MaxoutSpec(3, 2), new DenseSpec(3, ActivationKind.Linear),
        ];
        foreach (LayerSpec kind in double.IsNaN(bad) ? [.. kinds, new KCompetitiveSpec(3, 1, 1)] : kinds)
        {
            var network = new NetworkSpec(
                2, [new DenseSpec(2, ActivationKind.Tanh), kind, new DenseSpec(2, ActivationKind.Linear)]);
            using var stage = new TestStage<double>(network, 2);
            TestValues.Fill(stage.Input.Span, 1);
            stage.Forward().ShouldBe(-1);
            stage.Parameter("layers.1.bias").Span[1] = bad;
            stage.Forward().ShouldBe(1, kind.ToString());
        }
    }

    [Fact]
    public void WrongShapesAreRefused()
    {
        var network = new NetworkSpec(3, [new DenseSpec(2, ActivationKind.Relu), new DenseSpec(2, ActivationKind.Linear)]);
        using var stage = new TestStage<double>(network, 2);
        Should.Throw<ArgumentException>(() => stage.Program.Forward(
            new StagePass<double>(stage.Parameters, stage.Output.View, stage.Output.View, stage.Stash.View, stage.Context, stage.Scratch)))
            .Message.ShouldContain("input is 2 x 2 and should be 2 x 3");
        Should.Throw<ArgumentException>(() => stage.Program.Forward(
            new StagePass<double>(stage.Parameters, stage.Input.View, stage.Output.View, stage.Output.View, stage.Context, stage.Scratch)))
            .Message.ShouldContain("stash");
    }

    // A layer whose pre-activations are the inputs.
    private static TestStage<double> Identity(LayerSpec layer, params double[] s)
    {
        var stage = new TestStage<double>(new NetworkSpec(s.Length, [layer]), 1);
        Span<double> weight = stage.Parameter("layers.0.weight").Span;
        weight.Clear();
        for (int i = 0; i < s.Length; i++)
        {
            weight[i * (s.Length + 1)] = 1;
        }

        s.CopyTo(stage.Input.Span);
        stage.Forward();
        return stage;
    }

    private static TestStage<double> KCompetitive(int k, double alpha, params double[] z)
        => Identity(new KCompetitiveSpec(z.Length, k, alpha), z.Select(Math.Atanh).ToArray());

    private static void ShouldBe(ReadOnlySpan<double> values, double[] expected, double tolerance, string what = "value")
    {
        values.Length.ShouldBe(expected.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            values[i].ShouldBe(expected[i], tolerance, $"{what} [{i}]");
        }
    }
}
