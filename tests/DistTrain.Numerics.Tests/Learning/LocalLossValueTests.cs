using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using MathNet.Numerics.LinearAlgebra;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

/// <summary>Losses against their definitions, computed by other means.</summary>
public sealed class LocalLossValueTests
{
    private const int Rows = 8;

    [Fact]
    public void PredictionIsTheLossOfANetworkThatEndsWithTheClassifier()
    {
        using var rule = new RuleFixture<double>(RuleCases.All["pred"], Rows);
        using var network = new TestStage<double>(
            new NetworkSpec(5, [new DenseSpec(3, ActivationKind.Softmax)]), Rows, LossKind.CrossEntropy);
        rule.Output.Span.CopyTo(network.Input.Span);
        rule.Target.Span.CopyTo(network.Target.Span);
        rule.Parameters[0].Span.CopyTo(network.Parameters[0].Span);
        rule.Parameters[1].Span.CopyTo(network.Parameters[1].Span);
        network.RowWeight = rule.RowWeight;
        LossResult expected = network.Pass();
        expected.Correct.ShouldBeInRange(1, Rows - 1);
        rule.Learn(LocalRules.LossOf<double>(rule.Spec)).ShouldBe(expected);
        rule.Signal.Span.ToArray().ShouldBe(network.InputSignal.Span.ToArray());
        rule.Gradients[0].Span.ToArray().ShouldBe(network.Gradients[0].Span.ToArray());
    }

    [Theory]
    [InlineData("sim")]
    [InlineData("sim with one target column")]
    public void SimilarityIsTheMeanSquaredDifferenceOfCorrelationMatrices(string name)
    {
        using var rule = new RuleFixture<double>(RuleCases.All[name], Rows);
        Matrix<double> mapped = Dense(rule.Output) * Dense(rule.Parameters[0]).Transpose();
        Matrix<double> target = Dense(rule.Target);
        if (target.ColumnCount == 1)
        {
            target = (1 - target).Append(target);
        }

        double expected = (Correlations(mapped) - Correlations(target)).Enumerate().Sum(v => v * v) / (Rows * Rows);
        LossResult result = rule.Learn(LocalRules.LossOf<double>(rule.Spec));
        result.LossSum.ShouldBe(Rows * expected, 1e-6 * expected);
        (result.Correct, result.Rows).ShouldBe((0, Rows));
    }

    [Fact]
    public void OutputsAsSimilarAsTheirTargetsHaveNoSimilarityLoss()
    {
        LocalRuleSpec spec = RuleCases.Of(LocalRuleKind.Similarity) with { Network = new NetworkSpec(7, [
            new DenseSpec(6, ActivationKind.Tanh), new DropoutSpec(0.3), new DenseSpec(3, ActivationKind.Elu),
            new DenseSpec(3, ActivationKind.Softmax)]) };
        using var rule = new RuleFixture<double>(spec, Rows);
        rule.Target.Span.CopyTo(rule.Output.Span);
        Matrix<double> identity = Matrix<double>.Build.DenseIdentity(3);
        identity.ToRowMajorArray().CopyTo(rule.Parameters[0].Span);
        rule.Learn(LocalRules.LossOf<double>(spec)).LossSum.ShouldBe(0, 1e-12);
        rule.Signal.Span.ToArray().ShouldAllBe(v => Math.Abs(v) < 1e-9);
    }

    [Fact]
    public void DeadOutputsHaveAFiniteLossAndNoSimilaritySignal()
    {
        using var rule = new RuleFixture<float>(RuleCases.All["sim"], Rows);
        rule.Output.Span.Clear();
        rule.Learn(LocalRules.LossOf<float>(rule.Spec)).LossSum.ShouldBeGreaterThan(0);
        rule.Signal.Span.ToArray().ShouldAllBe(v => v == 0);
    }

    [Fact]
    public void TheSimilaritySignalOfTinyOutputsIsThatOfTheSmoothedNorm()
    {
        // Rows with norms near 1e-8, where adding that to the norm decides.
        using var rule = new RuleFixture<double>(RuleCases.All["sim"], Rows) { RowWeight = 1.0 / Rows };
        foreach (ref double value in rule.Output.Span)
        {
            value *= 1e-8;
        }

        rule.Run();
        double[] signal = rule.Signal.Span.ToArray();
        double largest = signal.Max(Math.Abs);
        for (int i = 0; i < signal.Length; i++)
        {
            const double h = 1e-13;
            double value = rule.Output.Span[i];
            rule.Output.Span[i] = value + h;
            double above = rule.Run();
            rule.Output.Span[i] = value - h;
            double below = rule.Run();
            rule.Output.Span[i] = value;
            signal[i].ShouldBe((above - below) / (2 * h * Rows), 1e-6 * largest);
        }
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.7)]
    [InlineData(1.0)]
    public void PredsimIsTheWeightedSumOfBoth(double beta)
    {
        using var both = new RuleFixture<double>(RuleCases.All["predsim"] with { Beta = beta }, Rows);
        using var prediction = new RuleFixture<double>(RuleCases.All["pred"], Rows);
        using var similarity = new RuleFixture<double>(RuleCases.All["sim"], Rows);
        both.Parameters[2].Span.CopyTo(similarity.Parameters[0].Span);
        LossResult first = prediction.Learn(LocalRules.LossOf<double>(prediction.Spec));
        double second = similarity.Run();
        LossResult sum = both.Learn(LocalRules.LossOf<double>(both.Spec));
        sum.LossSum.ShouldBe(((1 - beta) * first.LossSum) + (beta * second), 1e-14);
        sum.Correct.ShouldBe(first.Correct);
        double[] expected = prediction.Signal.Span.ToArray().Zip(
            similarity.Signal.Span.ToArray(), (a, b) => ((1 - beta) * a) + (beta * b)).ToArray();
        LearningCases.ShouldBeClose<double>(both.Signal.Span, expected, 1e-14);
    }

    [Theory]
    [InlineData(5.0, 1e-5)]
    [InlineData(0.5, 1e-2)]
    public void HsicIsTheAuthorsExpressionOfIt(double sigma, double epsilon)
    {
        LocalRuleSpec spec = RuleCases.All["hsic"] with { Sigma = sigma, Epsilon = epsilon, Beta = null };
        using var rule = new RuleFixture<double>(spec, Rows);
        Matrix<double> z = Normalized(rule.Output, sigma, epsilon);
        Matrix<double> x = Normalized(rule.NetworkInput, sigma, epsilon), y = Normalized(rule.Target, sigma, epsilon);
        double expected = (z * x).Trace() - (500 * (z * y).Trace());
        LocalLoss<double> loss = LocalRules.LossOf<double>(spec);
        loss.NeedsNetworkInput.ShouldBeTrue();
        rule.Learn(loss).LossSum.ShouldBe(Rows * expected, 1e-9 * Math.Abs(expected));
    }

    [Fact]
    public void AMicroBatchWeighsAsItsRowsDo()
    {
        // The signal of rowWeight · rows · L is linear in the row weight, and that of L where the rows are the whole step.
        foreach (string name in new[] { "sim", "hsic" })
        {
            using var whole = new RuleFixture<double>(RuleCases.All[name], Rows) { RowWeight = 1.0 / Rows };
            using var part = new RuleFixture<double>(RuleCases.All[name], Rows) { RowWeight = 0.25 / Rows };
            whole.Run().ShouldBe(part.Run());
            double[] quarter = whole.Signal.Span.ToArray().Select(v => v / 4).ToArray();
            LearningCases.ShouldBeClose<double>(part.Signal.Span, quarter, 1e-14);
        }
    }

    [Fact]
    public void DescendingTheHsicLossMakesOutputsDependOnTheirTargets()
    {
        using var rule = new RuleFixture<double>(RuleCases.All["hsic"], Rows) { RowWeight = 1.0 / Rows };
        double first = rule.Run(), last = first;
        for (int i = 0; i < 50; i++)
        {
            for (int j = 0; j < rule.Output.Length; j++)
            {
                rule.Output.Span[j] -= 0.01 * rule.Signal.Span[j];
            }

            last = rule.Run();
        }

        last.ShouldBeLessThan(first - 1);
    }

    // As in the authors' program: the kernel matrix is centred on one side only, which has the same trace.
    private static Matrix<double> Normalized(TensorView<double> values, double sigma, double epsilon)
    {
        Matrix<double> v = Dense(values);
        int m = v.RowCount;
        Matrix<double> kernel = Matrix<double>.Build.Dense(
            m, m, (i, j) => Math.Exp(-Math.Pow((v.Row(i) - v.Row(j)).L2Norm(), 2) / (2 * sigma * sigma * v.ColumnCount)));
        Matrix<double> identity = Matrix<double>.Build.DenseIdentity(m);
        Matrix<double> centred = kernel * (identity - (1.0 / m));
        return centred * (centred + (epsilon * m * identity)).Inverse();
    }

    private static Matrix<double> Correlations(Matrix<double> rows)
    {
        Matrix<double> normalized = Matrix<double>.Build.DenseOfRowVectors(rows.EnumerateRows().Select(row =>
        {
            Vector<double> centred = row - (row.Sum() / row.Count);
            return centred / centred.L2Norm();
        }));
        return normalized * normalized.Transpose();
    }

    private static Matrix<double> Dense(TensorView<double> view)
        => Matrix<double>.Build.DenseOfRowMajor(view.Rows, view.Columns, view.Span.ToArray());
}
