using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Kernels;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Learning;

public sealed class DirectFeedbackTests
{
    private static readonly NetworkSpec Everything = new(6, [
        new DenseSpec(9, ActivationKind.Prelu), new DropoutSpec(0.2), new MaxoutSpec(7, 2), new KCompetitiveSpec(8, 3, 1.5),
        new DropoutSpec(0.1), new DropoutSpec(0.3), new DenseSpec(7, ActivationKind.Tanh),
        new DenseSpec(4, ActivationKind.Softmax)]);

    [Theory]
    [InlineData(ActivationKind.Tanh)]
    [InlineData(ActivationKind.Prelu)]
    [InlineData(ActivationKind.Softmax)]
    public void WithTheLastWeightAsMatrixTheLastHiddenLayerGetsItsExactGradient(ActivationKind activation)
    {
        var network = new NetworkSpec(6, [
            new DenseSpec(8, activation), new DropoutSpec(0.4), new DenseSpec(7, activation), new DropoutSpec(0.3),
            new DenseSpec(4, ActivationKind.Softmax)]);
        using var stage = new TestStage<double>(network, 5, LossKind.CrossEntropy);
        LearningCases.Fill(stage);
        stage.Pass();
        double[][] exact = stage.Gradients.Select(g => g.Span.ToArray()).ToArray();
        using var matrices = new Matrices<double>(network, 4, 9);
        stage.Parameter("layers.4.weight").Span.CopyTo(matrices.Views[2].Span);
        BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View);
        for (int i = 0; i < exact.Length; i++)
        {
            ParameterSpec parameter = stage.Program.Parameters[i];
            if (parameter.Layer >= 2)
            {
                LearningCases.ShouldBeClose<double>(stage.Gradients[i].Span, exact[i], 1e-12, parameter.Name);
            }
            else
            {
                stage.Gradients[i].Span.ToArray().Zip(exact[i], (a, b) => Math.Abs(a - b)).Max().ShouldBeGreaterThan(1e-3);
            }
        }
    }

    [Fact]
    public void WithProductsOfWeightsADeepLinearNetworkTrainsAsByBackpropagation()
    {
        var network = new NetworkSpec(6, [
            new DenseSpec(8, ActivationKind.Linear), new DenseSpec(5, ActivationKind.Linear),
            new DenseSpec(7, ActivationKind.Linear), new DenseSpec(4, ActivationKind.Softmax)]);
        using var direct = new TestStage<double>(network, 9, LossKind.CrossEntropy) { RowWeight = 1.0 / 9 };
        using var exact = new TestStage<double>(network, 9, LossKind.CrossEntropy) { RowWeight = 1.0 / 9 };
        using var matrices = new Matrices<double>(network, 4, 9);
        LearningCases.Fill(direct);
        LearningCases.Fill(exact);
        double first = 0, last = 0;
        for (int step = 0; step < 20; step++)
        {
            FillProducts(direct, matrices.Views);
            direct.Forward();
            last = direct.Loss().LossSum;
            first = step == 0 ? last : first;
            BackwardDirect(direct, matrices.Views, direct.Signal.View, direct.Signal.View);
            exact.Pass().LossSum.ShouldBe(last, 1e-12);
            for (int i = 0; i < exact.Gradients.Length; i++)
            {
                LearningCases.ShouldBeClose<double>(
                    direct.Gradients[i].Span, exact.Gradients[i].Span, 1e-12, $"{direct.Program.Parameters[i].Name} at {step}");
                Elementwise.AddScaled<double>(direct.Gradients[i].Span, -0.1, direct.Parameters[i].Span);
                Elementwise.AddScaled<double>(exact.Gradients[i].Span, -0.1, exact.Parameters[i].Span);
            }
        }

        last.ShouldBeLessThan(0.8 * first);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public void StagesAndHelpersDoNotChangeABit(int cut)
    {
        StagesDoNotChangeABit<float>(cut);
        StagesDoNotChangeABit<double>(cut);
    }

    [Theory]
    [InlineData(33)]
    [InlineData(600)]
    public void AccumulatingIsAddingAGradientThatWasComputedApart(int rows)
    {
        using var stage = new TestStage<float>(Everything, rows, LossKind.CrossEntropy);
        using var matrices = new Matrices<float>(Everything, 4, 9);
        LearningCases.Fill(stage);
        stage.Forward();
        stage.Loss();
        BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View);
        float[][] apart = stage.Gradients.Select(g => g.Span.ToArray()).ToArray(), sums = new float[apart.Length][];
        for (int i = 0; i < apart.Length; i++)
        {
            TestValues.Fill(stage.Gradients[i].Span, (ulong)i);
            sums[i] = stage.Gradients[i].Span.ToArray().Zip(apart[i], (a, b) => a + b).ToArray();
        }

        BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View, accumulate: true);
        stage.Gradients.Select(g => g.Span.ToArray()).ShouldBe(sums);
        stage.Scratch.Mark.ShouldBe(0);
    }

    [Fact]
    public void ASingleRowGetsTheGradientOfItsOwnError()
    {
        // One row, one linear unit per layer: gradient = error · matrix · x.
        var network = new NetworkSpec(1, [new DenseSpec(1, ActivationKind.Linear), new DenseSpec(1, ActivationKind.Linear)]);
        using var stage = new TestStage<double>(network, 1, LossKind.HalfSquaredError);
        using var matrices = new Matrices<double>(network, 1, 9);
        (stage.Input.Span[0], stage.Signal.Span[0], matrices.Views[0].Span[0]) = (3, 0.5, 7);
        stage.Forward();
        BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View);
        (stage.Gradients[0].Span[0], stage.Gradients[1].Span[0]).ShouldBe((0.5 * 7 * 3, 0.5 * 7));
    }

    [Fact]
    public void WithoutRowsGradientsAreZeroOrUnchanged()
    {
        using var stage = new TestStage<double>(Everything, 0, LossKind.CrossEntropy);
        using var matrices = new Matrices<double>(Everything, 4, 9);
        foreach (bool accumulate in new[] { true, false })
        {
            Array.ForEach(stage.Gradients, g => g.Span.Fill(3));
            BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View, accumulate);
            stage.Gradients.SelectMany(g => g.Span.ToArray()).ShouldAllBe(v => v == (accumulate ? 3 : 0));
        }
    }

    [Fact]
    public void AMatrixOfAnotherShapeIsRefused()
    {
        using var stage = new TestStage<double>(Everything, 2, LossKind.CrossEntropy);
        using var matrices = new Matrices<double>(Everything, 3, 9);
        Should.Throw<ArgumentException>(() => BackwardDirect(stage, matrices.Views, stage.Signal.View, stage.Signal.View))
            .Message.ShouldBe("The matrix of layer 0 is 3 x 9 and should be 4 x 9.");
    }

    [Fact]
    public void MatricesAreUniformWithinTheScaledFanOut()
    {
        double[] one = new double[4000], half = new double[4000], other = new double[4000];
        FeedbackMatrices.FillDirect<double>(2, 10, 400, 1, 3, one);
        FeedbackMatrices.FillDirect<double>(2, 10, 400, 0.5, 3, half);
        FeedbackMatrices.FillDirect<double>(3, 10, 400, 1, 3, other);
        one.Max().ShouldBeInRange(0.0499, 0.05);
        one.Min().ShouldBeInRange(-0.05, -0.0499);
        one.Average().ShouldBe(0, 0.002);
        half.ShouldBe(one.Select(v => v / 2).ToArray());
        one.Zip(other).Count(pair => pair.First == pair.Second).ShouldBe(0);
    }

    private static void StagesDoNotChangeABit<T>(int cut)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int rows = 70;
        using var whole = new TestStage<T>(Everything, rows, LossKind.CrossEntropy);
        using var first = new TestStage<T>(Everything, rows, null, 0, cut);
        using var second = new TestStage<T>(Everything, rows, LossKind.CrossEntropy, cut);
        using var matrices = new Matrices<T>(Everything, 4, 9);
        LearningCases.Fill(whole);
        whole.Forward();
        whole.Loss();
        BackwardDirect(whole, matrices.Views, whole.Signal.View, whole.Signal.View);
        whole.Input.Span.CopyTo(first.Input.Span);
        first.Forward();
        first.Output.Span.CopyTo(second.Input.Span);
        second.Forward();
        var fork = new ReverseForkJoin(3);
        BackwardDirect(first, matrices.Views[..cut], whole.Signal.View, default, fork: fork);
        BackwardDirect(second, matrices.Views[cut..], whole.Signal.View, whole.Signal.View, fork: fork);
        first.Gradients.Concat(second.Gradients).Select(g => TestValues.Bits<T>(g.Span))
            .ShouldBe(whole.Gradients.Select(g => TestValues.Bits<T>(g.Span)));
    }

    private static void BackwardDirect<T>(
        TestStage<T> stage, TensorView<T>[] matrices, TensorView<T> error, TensorView<T> own, bool accumulate = false,
        ReverseForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => stage.Program.BackwardDirect(
            stage.PassWith(fork), matrices, error, new StageSignals<T>(own, default, stage.Gradients, accumulate));

    // The matrix of a layer is the product of all weights behind it, last one first.
    private static void FillProducts(TestStage<double> stage, TensorView<double>[] matrices)
    {
        for (int i = matrices.Length - 2; i >= 0; i--)
        {
            TensorView<double> behind = stage.Parameter($"layers.{i + 1}.weight");
            if (i == matrices.Length - 2)
            {
                behind.Span.CopyTo(matrices[i].Span);
            }
            else
            {
                Gemm.Multiply(matrices[i + 1], false, behind, false, matrices[i]);
            }
        }
    }

    /// <summary>One matrix for each layer that has parameters.</summary>
    private sealed class Matrices<T> : IDisposable
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly List<Tensor<T>> _tensors = [];

        public Matrices(NetworkSpec network, int outputs, ulong seed)
        {
            Views = new TensorView<T>[network.Layers.Count];
            for (int i = 0; i < Views.Length; i++)
            {
                if (network.Layers[i] is not DropoutSpec)
                {
                    int width = new StageProgram<T>(network, i, 1).OutputWidth;
                    _tensors.Add(new Tensor<T>(outputs, width));
                    Views[i] = _tensors[^1].View;
                    FeedbackMatrices.FillDirect(i, outputs, width, 1, seed, Views[i].Span);
                }
            }
        }

        public TensorView<T>[] Views { get; }

        public void Dispose() => _tensors.ForEach(tensor => tensor.Dispose());
    }
}
