using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

public sealed class GradientPredictorTests
{
    private const int Rows = 6;

    [Theory]
    [InlineData("predictor")]
    [InlineData("conditioned predictor")]
    public void AtFirstItPredictsNoSignal(string name)
    {
        using var rule = new RuleFixture<float>(RuleCases.All[name], Rows, random: false);
        Predict(rule);
        rule.Signal.Span.ToArray().ShouldAllBe(v => v == 0);
        rule.Parameters.SkipLast(2).SelectMany(p => p.Span.ToArray()).Any(v => v != 0).ShouldBe(rule.Parameters.Length > 2);
    }

    [Fact]
    public void AnOracleOfALinearNetworkPredictsBackpropagation()
    {
        // Behind the stage: y = h Wᵀ, loss ½‖y − t‖². The signal is (h Wᵀ − t) W: linear in (h, t).
        using var rule = new RuleFixture<double>(Linear(conditioned: true), Rows);
        using var behind = Behind(rule);
        TensorView<double> w = behind.Parameters[0], oracle = rule.Parameters[0];
        for (int i = 0; i < w.Columns; i++)
        {
            for (int j = 0; j < w.Columns; j++)
            {
                oracle.Row(i)[j] = Enumerable.Range(0, w.Rows).Sum(k => w.Row(k)[i] * w.Row(k)[j]);
            }

            for (int k = 0; k < w.Rows; k++)
            {
                oracle.Row(i)[w.Columns + k] = -w.Row(k)[i];
            }
        }

        rule.Parameters[1].Span.Clear();
        Predict(rule);
        LearningCases.ShouldBeClose<double>(rule.Signal.Span, behind.InputSignal.Span, 1e-13);
        behind.InputSignal.Span.CopyTo(rule.Signal.Span);
        rule.Fit(LocalRules.PredictorOf<double>(rule.Spec)).ShouldBeLessThan(1e-26);
        rule.AllGradients.ShouldAllBe(g => Math.Abs(g) < 1e-13);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FittingFindsTheOracleOnlyWhenItSeesTheTargets(bool conditioned)
    {
        using var rule = new RuleFixture<double>(Linear(conditioned), 40, random: false);
        TestValues.Fill(rule.Target.Span, 70);
        using var behind = Behind(rule);
        behind.InputSignal.Span.CopyTo(rule.Signal.Span);
        GradientPredictor<double> predictor = LocalRules.PredictorOf<double>(rule.Spec);
        double first = rule.Fit(predictor), last = first;
        for (int step = 0; step < 3000; step++)
        {
            for (int i = 0; i < rule.Parameters.Length; i++)
            {
                Elementwise.AddScaled<double>(rule.Gradients[i].Span, -0.5, rule.Parameters[i].Span);
            }

            last = rule.Fit(predictor);
        }

        last.ShouldBeInRange(conditioned ? 0 : 1e-2 * first, conditioned ? 1e-6 * first : first);
    }

    [Fact]
    public void ErrorAndPredictionDoNotDependOnHowManyRowsTheStepHas()
    {
        LocalRuleSpec spec = RuleCases.All["conditioned predictor"];
        using var small = new RuleFixture<double>(spec, Rows) { RowWeight = 0.5 };
        using var large = new RuleFixture<double>(spec, Rows) { RowWeight = 0.125 };
        foreach (ref double value in large.Signal.Span)
        {
            value /= 4;
        }

        GradientPredictor<double> predictor = LocalRules.PredictorOf<double>(spec);
        large.Fit(predictor).ShouldBe(small.Fit(predictor));
        large.AllGradients.ShouldBe(small.AllGradients.Select(g => g / 4).ToArray(), 1e-15);
        Predict(large);
        Predict(small);
        large.Signal.Span.ToArray().ShouldBe(small.Signal.Span.ToArray().Select(v => v / 4).ToArray(), 1e-15);
    }

    [Fact]
    public void WithoutRowsNothingIsPredicted()
    {
        using var rule = new RuleFixture<double>(RuleCases.All["conditioned predictor"], 0);
        Should.NotThrow(() => Predict(rule));
    }

    private static void Predict<T>(RuleFixture<T> rule)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
        => LocalRules.PredictorOf<T>(rule.Spec).Predict(
            rule.Parameters, rule.Output, rule.Spec.Conditioned ? rule.Target : default, rule.Signal, rule.RowWeight,
            rule.Scratch);

    private static LocalRuleSpec Linear(bool conditioned) => new()
    {
        Kind = LocalRuleKind.GradientPredictor,
        Network = new NetworkSpec(3, [
            new DenseSpec(4, ActivationKind.Linear), new DenseSpec(2, ActivationKind.Linear, Bias: false)]),
        Stage = 0,
        FirstLayer = 0,
        LayerCount = 1,
        Loss = LossKind.HalfSquaredError,
        Conditioned = conditioned,
    };

    /// <summary>The second layer behind a rule's outputs, after its backward pass.</summary>
    private static TestStage<double> Behind(RuleFixture<double> rule)
    {
        var behind = new TestStage<double>(rule.Spec.Network, rule.Output.Rows, LossKind.HalfSquaredError, 1, 1)
        {
            RowWeight = rule.RowWeight,
        };
        rule.Output.Span.CopyTo(behind.Input.Span);
        rule.Target.Span.CopyTo(behind.Target.Span);
        behind.Pass();
        return behind;
    }
}
