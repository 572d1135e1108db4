using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

public sealed class DifferenceTargetTests
{
    private const int Rows = 6;
    private static readonly LocalRuleSpec Middle = RuleCases.All["inverse"];

    private static readonly NetworkSpec Linear = new(2, [
        new DenseSpec(2, ActivationKind.Linear), new DenseSpec(2, ActivationKind.Linear),
        new DenseSpec(1, ActivationKind.Linear)]);

    [Theory]
    [InlineData(1.0, 1e-14)]
    [InlineData(0.1, 1e-13)]
    [InlineData(0.001, 1e-11)]
    public void ASignalComesBackFromTheTargetThatItGave(double stepSize, double tolerance)
    {
        using var rule = new RuleFixture<double>(Middle with { StepSize = stepSize }, Rows);
        double[] signal = rule.Signal.Span.ToArray();
        DifferenceTarget<double> target = LocalRules.TargetOf<double>(rule.Spec);
        target.TargetFromSignal(rule.Output, rule.Signal, rule.Signal, rule.RowWeight);
        rule.Signal.Span[3].ShouldBe(rule.Output.Span[3] - (stepSize * signal[3] / rule.RowWeight), 1e-15);
        target.Signal(rule.Output, rule.Signal, rule.Signal, rule.RowWeight);
        LearningCases.ShouldBeClose<double>(rule.Signal.Span, signal, tolerance);
    }

    [Fact]
    public void InFloat32TheDefaultStepSizeKeepsFiveDigits()
    {
        using var rule = new RuleFixture<float>(Middle, Rows);
        double[] signal = rule.Signal.Span.ToArray().Select(v => (double)v).ToArray();
        DifferenceTarget<float> target = LocalRules.TargetOf<float>(rule.Spec);
        target.TargetFromSignal(rule.Output, rule.Signal, rule.Signal, rule.RowWeight);
        target.Signal(rule.Output, rule.Signal, rule.Signal, rule.RowWeight);
        LearningCases.ShouldBeClose<float>(rule.Signal.Span, signal, 1e-5);
    }

    [Fact]
    public void AnOutputOnItsTargetGivesTheInputAsTargetAndNoSignal()
    {
        using var rule = new RuleFixture<float>(Middle, Rows);
        DifferenceTarget<float> target = LocalRules.TargetOf<float>(Middle);
        target.Target(rule.Parameters, rule.Input, rule.Output, rule.Output, rule.Below, rule.Scratch);
        TestValues.Bits<float>(rule.Below.Span).ShouldBe(TestValues.Bits<float>(rule.Input.Span));
        target.Signal(rule.Input, rule.Below, rule.Below, rule.RowWeight);
        rule.Below.Span.ToArray().ShouldAllBe(v => v == 0);
    }

    [Fact]
    public void WithTheTransposeOfAnOrthogonalWeightAsInverseSignalsAreBackpropagations()
    {
        // h = x Wᵀ with W a rotation: g(t) − g(h) = (t − h) W, and t − h is −η̂ times the signal.
        using var rule = new RuleFixture<double>(Middle with { Network = Linear, LayerCount = 1 }, Rows);
        (double c, double s) = (0.8, 0.6);
        double[] rotation = [c, -s, s, c], transposed = [c, s, -s, c];
        rotation.CopyTo(rule.StageParameters[0].Span);
        transposed.CopyTo(rule.Parameters[0].Span);
        double[] expected = new double[rule.Input.Length];
        for (int row = 0; row < Rows; row++)
        {
            Span<double> g = rule.Signal.Row(row);
            (expected[2 * row], expected[(2 * row) + 1]) = ((c * g[0]) + (s * g[1]), (-s * g[0]) + (c * g[1]));
        }

        DifferenceTarget<double> target = LocalRules.TargetOf<double>(rule.Spec);
        target.TargetFromSignal(rule.Output, rule.Signal, rule.Signal, rule.RowWeight);
        target.Target(rule.Parameters, rule.Input, rule.Output, rule.Signal, rule.Below, rule.Scratch);
        target.Signal(rule.Input, rule.Below, rule.Below, rule.RowWeight);
        LearningCases.ShouldBeClose<double>(rule.Below.Span, expected, 1e-13);
    }

    [Fact]
    public void FittingFindsTheInverseOfALinearStage()
    {
        using var rule = new RuleFixture<double>(Middle with { Network = Linear, LayerCount = 1 }, 30, random: false);
        DifferenceTarget<double> target = LocalRules.TargetOf<double>(rule.Spec);
        double[] weight = [1.5, -0.5, 0.3, 1];
        weight.CopyTo(rule.StageParameters[0].Span);
        double first = rule.FitInverse(target), last = first;
        for (int step = 0; step < 2000; step++)
        {
            for (int i = 0; i < rule.Parameters.Length; i++)
            {
                Elementwise.AddScaled<double>(rule.Gradients[i].Span, -0.5, rule.Parameters[i].Span);
            }

            rule.Context = rule.Context with { Step = step };
            last = rule.FitInverse(target);
        }

        last.ShouldBeLessThan(1e-10 * first);
        double determinant = (1.5 * 1) + (0.5 * 0.3);
        rule.Parameters[0].Span.ToArray().ShouldBe(
            new[] { 1, 0.5, -0.3, 1.5 }.Select(v => v / determinant).ToArray(), 1e-4);
    }

    [Fact]
    public void TheNoiseOfARowDoesNotDependOnItsMicroBatch()
    {
        using var whole = new RuleFixture<double>(Middle, Rows);
        using var part = new RuleFixture<double>(Middle, 2) { RowWeight = whole.RowWeight };
        whole.Input.Slice(0, 2, whole.Input.Columns).Span.CopyTo(part.Input.Span);
        DifferenceTarget<double> target = LocalRules.TargetOf<double>(Middle);
        double expected = whole.FitInverse(target), sum = 0;
        for (int start = 0; start < Rows; start += 2)
        {
            whole.Input.Slice(start * whole.Input.Columns, 2, whole.Input.Columns).Span.CopyTo(part.Input.Span);
            part.Context = whole.Context with { FirstSample = whole.Context.FirstSample + start };
            sum += part.FitInverse(target, accumulate: start > 0);
        }

        sum.ShouldBe(expected, 1e-13 * expected);
        LearningCases.ShouldBeClose<double>(part.AllGradients, whole.AllGradients, 1e-13);
    }

    [Fact]
    public void NoiseIsNormalWithTheDeviationThatWasAskedForAndNewAtEveryStep()
    {
        // A stage and an inverse of zeros: the error is ½ Σ h̃², and h̃ is the noise.
        const int rows = 2000;
        using var rule = new RuleFixture<double>(Middle with { Noise = 0.5 }, rows);
        rule.Input.Span.Clear();
        Array.ForEach(rule.Parameters, p => p.Span.Clear());
        double error = rule.FitInverse(LocalRules.TargetOf<double>(rule.Spec));
        (2 * error / rule.Input.Length).ShouldBe(0.25, 0.01);
        rule.Context = rule.Context with { Step = rule.Context.Step + 1 };
        rule.FitInverse(LocalRules.TargetOf<double>(rule.Spec)).ShouldNotBe(error);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(0, 4)]
    public void TheFirstAndTheLastStageHaveNoInverse(int firstLayer, int layerCount)
    {
        LocalRuleSpec spec = Middle with { FirstLayer = firstLayer, LayerCount = layerCount };
        using var rule = new RuleFixture<double>(spec, Rows);
        DifferenceTarget<double> target = LocalRules.TargetOf<double>(spec);
        target.HasInverse.ShouldBeFalse();
        rule.Specs.ShouldBeEmpty();
        Should.Throw<InvalidOperationException>(() => rule.FitInverse(target));
        LocalRules.TargetOf<double>(Middle).HasInverse.ShouldBeTrue();
    }

    [Fact]
    public void WithoutRowsTargetsAndSignalsAreEmpty()
    {
        using var rule = new RuleFixture<float>(Middle, 0);
        DifferenceTarget<float> target = LocalRules.TargetOf<float>(Middle);
        Should.NotThrow(() =>
        {
            target.Target(rule.Parameters, rule.Input, rule.Output, rule.Signal, rule.Below, rule.Scratch);
            target.Signal(rule.Output, rule.Signal, rule.Signal, 1);
            target.TargetFromSignal(rule.Output, rule.Signal, rule.Signal, 1);
        });
    }
}
