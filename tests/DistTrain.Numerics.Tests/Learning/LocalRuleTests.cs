using System.Numerics;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Tests.Kernels;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

/// <summary>What holds for every local rule.</summary>
public sealed class LocalRuleTests
{
    private const int Rows = 6;

    public static TheoryData<string> Rules => RuleCases.Names();

    public static TheoryData<string> RulesWithTensors => RuleCases.Names(spec => spec.Kind != LocalRuleKind.HsicBottleneck);

    public static TheoryData<string> Losses
        => RuleCases.Names(spec => spec.Kind is not (LocalRuleKind.GradientPredictor or LocalRuleKind.DifferenceTarget));

    [Theory]
    [MemberData(nameof(RulesWithTensors))]
    public void GradientsMatchFiniteDifferences(string name)
    {
        using var rule = new RuleFixture<double>(RuleCases.All[name], Rows);
        rule.Run();
        double[][] gradients = rule.Gradients.Select(g => g.Span.ToArray()).ToArray();
        for (int i = 0; i < gradients.Length; i++)
        {
            Compare(rule, rule.Parameters[i].Span, gradients[i], rule.Specs[i].Name);
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void SignalsMatchFiniteDifferences(string name)
    {
        using var rule = new RuleFixture<double>(RuleCases.All[name], Rows);
        rule.Run();
        Compare(rule, rule.Output.Span, rule.Signal.Span.ToArray(), "output");
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void Float32IsCloseToFloat64(string name)
    {
        using var exact = new RuleFixture<double>(RuleCases.All[name], Rows);
        using var single = new RuleFixture<float>(RuleCases.All[name], Rows);
        double expected = exact.Run();
        single.Run().ShouldBe(expected, 1e-5 * Math.Abs(expected));
        LearningCases.ShouldBeClose<float>(single.Signal.Span, exact.Signal.Span, 1e-5);
        for (int i = 0; i < exact.Gradients.Length; i++)
        {
            LearningCases.ShouldBeClose<float>(single.Gradients[i].Span, exact.Gradients[i].Span, 1e-5, exact.Specs[i].Name);
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void HelpersAndRepetitionDoNotChangeABit(string name)
    {
        AreTheSame<float>(RuleCases.All[name], 70);
        AreTheSame<double>(RuleCases.All[name], 70);
    }

    [Theory]
    [MemberData(nameof(RulesWithTensors))]
    public void AccumulatingIsAddingAGradientThatWasComputedApart(string name)
    {
        foreach (int rows in new[] { 9, 600 })
        {
            using var rule = new RuleFixture<float>(RuleCases.All[name], rows);
            float[] signal = rule.Signal.Span.ToArray();
            rule.Run();
            float[] apart = rule.AllGradients, before = apart.Select((_, i) => MathF.Sin(i)).ToArray();
            int offset = 0;
            foreach (Tensors.TensorView<float> gradient in rule.Gradients)
            {
                before.AsSpan(offset, gradient.Length).CopyTo(gradient.Span);
                offset += gradient.Length;
            }

            signal.CopyTo(rule.Signal.Span);
            rule.Run(accumulate: true);
            rule.AllGradients.ShouldBe(before.Zip(apart, (a, b) => a + b).ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void WithoutRowsGradientsAreZeroOrUnchanged(string name)
    {
        using var rule = new RuleFixture<double>(RuleCases.All[name], 0);
        Array.ForEach(rule.Gradients, g => g.Span.Fill(3));
        rule.Run(accumulate: true).ShouldBe(0);
        rule.AllGradients.ShouldAllBe(g => g == 3);
        rule.Run().ShouldBe(0);
        rule.AllGradients.ShouldAllBe(g => g == 0);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void OneRowGivesFiniteValues(string name)
    {
        using var rule = new RuleFixture<float>(RuleCases.All[name], 1);
        double.IsFinite(rule.Run()).ShouldBeTrue();
        rule.AllGradients.Concat(rule.Signal.Span.ToArray()).ShouldAllBe(v => float.IsFinite(v));
        if (rule.Spec.Kind is LocalRuleKind.Similarity or LocalRuleKind.HsicBottleneck)
        {
            // One row is not similar to, or dependent on, anything.
            rule.AllGradients.Concat(rule.Signal.Span.ToArray()).ShouldAllBe(v => v == 0);
        }
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void WithoutSignalAndGradientsOnlyTheLossIsComputed(string name)
    {
        using var rule = new RuleFixture<double>(RuleCases.All[name], Rows);
        LocalLoss<double> loss = LocalRules.LossOf<double>(rule.Spec);
        loss.Signal(rule.Parameters, rule.NetworkInput, rule.Output, rule.Target, default, [], false, 1, rule.Scratch)
            .ShouldBe(rule.Learn(loss));
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public void AStepAllocatesNothingOnceTheScratchHasGrown(string name)
    {
        using var rule = new RuleFixture<float>(RuleCases.All[name], 33);
        LocalRuleSpec spec = rule.Spec;
        LocalLoss<float>? loss = spec.Kind <= LocalRuleKind.HsicBottleneck ? LocalRules.LossOf<float>(spec) : null;
        GradientPredictor<float>? predictor =
            spec.Kind == LocalRuleKind.GradientPredictor ? LocalRules.PredictorOf<float>(spec) : null;
        DifferenceTarget<float>? target = spec.Kind == LocalRuleKind.DifferenceTarget ? LocalRules.TargetOf<float>(spec) : null;
        long Step()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            _ = loss is not null ? rule.Learn(loss).LossSum
                : predictor is not null ? rule.Fit(predictor) : rule.FitInverse(target!);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        for (int i = 0; i < 50; i++)
        {
            Step();
        }

        rule.Scratch.Mark.ShouldBe(0);
        Step().ShouldBe(0);
    }

    private static void AreTheSame<T>(LocalRuleSpec spec, int rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var alone = new RuleFixture<T>(spec, rows);
        double expected = alone.Run();
        ulong[] gradients = TestValues.Bits<T>(alone.AllGradients), signal = TestValues.Bits<T>(alone.Signal.Span);
        using var helped = new RuleFixture<T>(spec, rows);
        T[] start = helped.Signal.Span.ToArray();
        for (int repetition = 0; repetition < 2; repetition++)
        {
            start.CopyTo(helped.Signal.Span);
            helped.Run(fork: new ReverseForkJoin(3)).ShouldBe(expected);
            TestValues.Bits<T>(helped.AllGradients).ShouldBe(gradients);
            TestValues.Bits<T>(helped.Signal.Span).ShouldBe(signal);
        }
    }

    private static void Compare(RuleFixture<double> rule, Span<double> values, double[] gradient, string name)
    {
        // Fits read the signal; losses write it.
        const double h = 1e-5;
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            values[i] = value + h;
            double above = rule.Run();
            values[i] = value - h;
            double below = rule.Run();
            values[i] = value;
            double expected = rule.RowWeight * (above - below) / (2 * h);
            gradient[i].ShouldBe(expected, 2e-8 * Math.Max(1, Math.Abs(expected)), $"{name}[{i}]");
        }

        gradient.Any(g => Math.Abs(g) > 1e-4).ShouldBeTrue(name);
    }
}
