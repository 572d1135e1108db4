using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Losses;

public sealed class LossTests
{
    [Theory]
    [InlineData(LossKind.HalfSquaredError, 0.5 * (0.25 + 4))]
    [InlineData(LossKind.SquaredError, 0.25 + 4)]
    public void SquaredErrorsAreSummedOverOutputs(LossKind loss, double expected)
    {
        using TestStage<double> stage = Scores(loss, ActivationKind.Linear, 0.5, -1);
        new[] { 0.0, 1.0 }.CopyTo(stage.Target.Span);
        stage.Loss().LossSum.ShouldBe(expected, 1e-15);
    }

    [Fact]
    public void CrossEntropyStaysExactWhereTheSoftmaxRoundsToZero()
    {
        using TestStage<float> stage = Scores(LossKind.CrossEntropy, ActivationKind.Softmax, 0f, 1000f);
        stage.Target.Span[0] = 1;
        stage.Output.Span[0].ShouldBe(0);
        stage.Loss().LossSum.ShouldBe(1000, 1e-9);
        stage.Signal.Span.ToArray().ShouldBe([-1f, 1f]);
    }

    [Fact]
    public void CrossEntropyOfSoftTargetsThatDoNotAddUpToOneHasItsOwnSignal()
    {
        using TestStage<double> stage = Scores(LossKind.CrossEntropy, ActivationKind.Softmax, 0.3, -0.4, 0.9);
        new[] { 0.5, 0.2, 1.1 }.CopyTo(stage.Target.Span);
        stage.Loss();
        double[] y = stage.Output.Span.ToArray();
        for (int i = 0; i < 3; i++)
        {
            stage.Signal.Span[i].ShouldBe((y[i] * 1.8) - stage.Target.Span[i], 1e-15);
        }
    }

    [Fact]
    public void BinaryCrossEntropyStaysExactWhereTheSigmoidRoundsToOne()
    {
        using TestStage<float> stage = Scores(LossKind.BinaryCrossEntropy, ActivationKind.Sigmoid, 200f, -200f);
        new[] { 0f, 1f }.CopyTo(stage.Target.Span);
        stage.Loss().LossSum.ShouldBe(400, 1e-9);
        stage.Signal.Span.ToArray().ShouldBe([1f, -1f]);
    }

    [Fact]
    public void BinaryCrossEntropyOnASaturatedSoftmaxStaysFinite()
    {
        using TestStage<float> stage = Scores(LossKind.BinaryCrossEntropy, ActivationKind.Softmax, 0f, 1000f);
        new[] { 1f, 0f }.CopyTo(stage.Target.Span);
        stage.Loss().LossSum.ShouldBe(200, 1e-9);
        stage.Signal.Span.ToArray().ShouldAllBe(v => float.IsFinite(v));
    }

    [Theory]
    [InlineData(new[] { 0.2, 0.9, 0.9 }, new[] { 0.0, 1.0, 0.0 }, 1)]
    [InlineData(new[] { 0.2, 0.9, 0.9 }, new[] { 0.0, 0.0, 1.0 }, 0)]
    [InlineData(new[] { 0.7 }, new[] { 1.0 }, 1)]
    [InlineData(new[] { 0.3 }, new[] { 1.0 }, 0)]
    [InlineData(new[] { 0.5 }, new[] { 0.0 }, 1)]
    public void CorrectMeansTheSameFirstMaximumOrTheSameSideOfOneHalf(double[] output, double[] target, int correct)
    {
        using TestStage<double> stage = Scores(LossKind.SquaredError, ActivationKind.Linear, output);
        target.CopyTo(stage.Target.Span);
        stage.Loss().Correct.ShouldBe(correct);
    }

    [Fact]
    public void TheSignalCarriesTheRowWeightAndTheLossDoesNot()
    {
        using TestStage<double> stage = Scores(LossKind.SquaredError, ActivationKind.Linear, 3.0);
        stage.RowWeight = 0.125;
        stage.Loss().LossSum.ShouldBe(9);
        stage.Signal.Span[0].ShouldBe(0.75);
    }

    [Fact]
    public void EvaluationLeavesTheSignalAlone()
    {
        using TestStage<double> stage = Scores(LossKind.SquaredError, ActivationKind.Linear, 3.0);
        stage.Signal.Span[0] = 42;
        stage.Loss(evaluation: true).LossSum.ShouldBe(9);
        stage.Signal.Span[0].ShouldBe(42);
    }

    [Fact]
    public void AStageWithoutALossSaysSo()
    {
        using var stage = new TestStage<double>(new NetworkSpec(2, [new DenseSpec(2, ActivationKind.Linear)]), 1);
        Should.Throw<InvalidOperationException>(() => stage.Loss());
    }

    // A layer whose pre-activations are the biases.
    private static TestStage<T> Scores<T>(LossKind loss, ActivationKind activation, params T[] scores)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var stage = new TestStage<T>(new NetworkSpec(1, [new DenseSpec(scores.Length, activation)]), 1, loss);
        scores.CopyTo(stage.Parameter("layers.0.bias").Span);
        stage.Forward();
        return stage;
    }
}
