using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

/// <summary>
/// The well-known two-layer sigmoid network that is worked through by hand: the printed numbers, to their last digits.
/// </summary>
public sealed class WorkedExampleTests
{
    private static readonly NetworkSpec Network = new(
        2, [new DenseSpec(2, ActivationKind.Sigmoid), new DenseSpec(2, ActivationKind.Sigmoid)]);

    [Fact]
    public void OutputsAndErrorAreAsPrinted()
    {
        using TestStage<double> stage = Example();
        stage.Forward();
        Span<double> hidden = stage.Stash.Span;
        hidden[0].ShouldBe(0.593269992, 5e-10);
        hidden[1].ShouldBe(0.596884378, 5e-10);
        stage.Output.Span[0].ShouldBe(0.75136507, 5e-9);
        stage.Output.Span[1].ShouldBe(0.772928465, 5e-10);
        stage.Loss().LossSum.ShouldBe(0.298371109, 5e-10);
    }

    [Fact]
    public void TheUpdatedWeightsAreAsPrinted()
    {
        using TestStage<double> stage = Example();
        stage.Pass();
        stage.Gradient("layers.1.weight").Span[0].ShouldBe(0.082167041, 5e-10);
        stage.Gradient("layers.0.weight").Span[0].ShouldBe(0.000438568, 5e-10);
        var optimizer = new Optimizer<double>(new OptimizerSpec(OptimizerKind.Sgd, 0.5));
        for (int i = 0; i < stage.Parameters.Length; i++)
        {
            Span<double> weights = stage.Parameters[i].Span;
            optimizer.Apply(0.5, 1, 1, weights, stage.Gradients[i].Span, default, weights, default);
        }

        ShouldBe(stage.Parameter("layers.1.weight").Span, 0.35891648, 0.408666186, 0.511301270, 0.561370121);
        ShouldBe(stage.Parameter("layers.0.weight").Span, 0.149780716, 0.19956143, 0.24975114, 0.29950229);
    }

    private static TestStage<double> Example()
    {
        var stage = new TestStage<double>(Network, 1, LossKind.HalfSquaredError);
        new[] { 0.15, 0.20, 0.25, 0.30 }.CopyTo(stage.Parameter("layers.0.weight").Span);
        stage.Parameter("layers.0.bias").Span.Fill(0.35);
        new[] { 0.40, 0.45, 0.50, 0.55 }.CopyTo(stage.Parameter("layers.1.weight").Span);
        stage.Parameter("layers.1.bias").Span.Fill(0.60);
        new[] { 0.05, 0.10 }.CopyTo(stage.Input.Span);
        new[] { 0.01, 0.99 }.CopyTo(stage.Target.Span);
        return stage;
    }

    private static void ShouldBe(ReadOnlySpan<double> values, params double[] printed)
    {
        for (int i = 0; i < printed.Length; i++)
        {
            values[i].ShouldBe(printed[i], 5e-9);
        }
    }
}
