using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.FrontContribution;

public sealed class ContributedLayerTests
{
    private const int N = 9, D = 6;
    private static readonly int[] Batch = [4, 0, 7];

    public static TheoryData<LayerSpec> Layers =>
    [
        new DenseSpec(4, ActivationKind.Tanh), new DenseSpec(4, ActivationKind.Prelu, Bias: false), new MaxoutSpec(3, 2), new KCompetitiveSpec(4, 2, 1.5),
    ];

    [Theory]
    [MemberData(nameof(Layers))]
    public void AtTheStartItGivesTheOutputsAndGradientsOfTheConventionalLayer(LayerSpec layer)
    {
        foreach (bool scatter in (bool[])[true, false])
        {
            using TestStage<double> conventional = new(new NetworkSpec(D, [layer]), Batch.Length), contributed = Contributed(layer, scatter, conventional);
            conventional.Forward();
            contributed.Forward();
            ShouldBeClose(contributed.Output, conventional.Output);

            TestValues.Fill(conventional.Signal.Span, 8);
            conventional.Signal.Span.CopyTo(contributed.Signal.Span);
            conventional.Backward(inputSignal: false);
            contributed.Backward(inputSignal: false);
            foreach (string name in conventional.Program.Parameters.Select(parameter => parameter.Name).Where(name => !name.EndsWith("weight", StringComparison.Ordinal)))
            {
                ShouldBeClose(contributed.Gradient(name), conventional.Gradient(name));
            }

            // What the gradient of theta expands to is the gradient of W.
            using Tensor<double> x = Inputs(), theta = GradientOfTheta(contributed), zero = new(theta.Columns, D), expanded = new(zero.Rows, D);
            Expansion.Write(
                [new(theta.View, 0, expanded.View)], zero.View, scatter ? new MatrixRows<double>(x.View) : null, contributed.Scratch, null);
            ShouldBeClose(expanded.View, conventional.Gradient("layers.0.weight"));

            double norm = scatter ? Elementwise.SumOfSquares<double>(conventional.Gradient("layers.0.weight").Span) : 0;
            contributed.Gradient("layers.0.scale").Span[0].ShouldBe(norm, 1e-13);
        }
    }

    [Fact]
    public void TheNormIsThatOfTheWeightsGradientAndNotThatOfDelta()
    {
        LayerSpec layer = new DenseSpec(4, ActivationKind.Linear);
        using TestStage<double> conventional = new(new NetworkSpec(D, [layer]), Batch.Length), contributed = Contributed(layer, true, conventional);
        contributed.Forward();
        TestValues.Fill(contributed.Signal.Span, 8);
        contributed.Backward(inputSignal: false);
        double norm = contributed.Gradient("layers.0.scale").Span[0];
        using Tensor<double> theta = GradientOfTheta(contributed);
        double ofDelta = Elementwise.SumOfSquares<double>(theta.Span);
        Math.Abs(norm - ofDelta).ShouldBeGreaterThan(0.01);
    }

    /// <summary>The gradient of Θ as a matrix of its shape, whatever form it travels in.</summary>
    private static Tensor<double> GradientOfTheta(TestStage<double> stage)
    {
        ContributedSpec spec = (ContributedSpec)stage.Network.Layers[0];
        TensorView<double> gradient = stage.Gradient("layers.0.theta");
        Tensor<double> whole = new(spec.Features, spec.Outputs);
        if (!spec.Scatter)
        {
            gradient.Span.CopyTo(whole.Span);
            return whole;
        }

        ContributedRows<double> rows = new(spec, gradient);
        for (int row = 0; row < rows.Count; row++)
        {
            rows.Deltas.Row(row).CopyTo(whole.View.Row(rows.IndexOf(row)));
        }

        return whole;
    }

    private static Tensor<double> Inputs()
    {
        Tensor<double> x = new(N, D);
        TestValues.Fill(x.Span, 5);
        return x;
    }

    /// <summary>The conventional stage gets its input here too.</summary>
    private static TestStage<double> Contributed(LayerSpec layer, bool scatter, TestStage<double> conventional)
    {
        int features = scatter ? N : D;
        ContributedSpec spec = new(layer, features, scatter, NeedsNorm: true, StepRows: Batch.Length);
        TestStage<double> stage = new(new NetworkSpec(spec.InputWidth, [spec]), Batch.Length);
        using Tensor<double> x = Inputs();
        MatrixRows<double> rows = new(x.View);
        for (int i = 0; i < Batch.Length; i++)
        {
            x.View.Row(Batch[i]).CopyTo(conventional.Input.View.Row(i));
            TensorView<double> coordinates = stage.Input.View.Slice(i * features, 1, features);
            if (scatter)
            {
                ContributionTile.Gram(rows, Batch[i], rows, coordinates, symmetric: false, stage.Scratch, null);
            }
            else
            {
                ContributionTile.InBasis(rows, Batch[i], default, coordinates, stage.Scratch, null);
            }

            ContributionTile.FirstOutputs(
                rows, Batch[i], conventional.Parameter("layers.0.weight"),
                stage.Input.View.Slice((Batch.Length * features) + (i * spec.Outputs), 1, spec.Outputs), stage.Scratch, null);
            stage.Input.Span[(Batch.Length * (features + spec.Outputs)) + i] = Batch[i];
        }

        if (stage.Program.Parameters.Any(parameter => parameter.Name == "layers.0.bias"))
        {
            TestValues.Fill(conventional.Parameter("layers.0.bias").Span, 9);
            conventional.Parameter("layers.0.bias").Span.CopyTo(stage.Parameter("layers.0.bias").Span);
        }

        if (stage.Program.Parameters.Any(parameter => parameter.Name == "layers.0.slope"))
        {
            conventional.Parameter("layers.0.slope").Span.CopyTo(stage.Parameter("layers.0.slope").Span);
        }

        return stage;
    }

    private static void ShouldBeClose(Tensor<double> actual, Tensor<double> expected) => ShouldBeClose(actual.View, expected.View);

    private static void ShouldBeClose(TensorView<double> actual, TensorView<double> expected)
    {
        actual.Length.ShouldBe(expected.Length);
        for (int i = 0; i < actual.Length; i++)
        {
            actual.Span[i].ShouldBe(expected.Span[i], 1e-13);
        }
    }
}
