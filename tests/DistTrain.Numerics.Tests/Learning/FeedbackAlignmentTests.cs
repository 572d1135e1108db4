using System.Numerics;
using DistTrain.Numerics.Initialization;
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

public sealed class FeedbackAlignmentTests
{
    private static readonly NetworkSpec Everything = new(6, [
        new DenseSpec(9, ActivationKind.Prelu), new DropoutSpec(0.2), new MaxoutSpec(7, 2), new KCompetitiveSpec(8, 3, 1.5),
        new DenseSpec(7, ActivationKind.Elu), new DenseSpec(5, ActivationKind.Softmax),
        new DenseSpec(4, ActivationKind.Softmax)]);

    [Theory]
    [InlineData(1, false)]
    [InlineData(5, false)]
    [InlineData(40, true)]
    [InlineData(600, true)]
    public void WithTheWeightsAsFeedbackItIsBackpropagationBitForBit(int rows, bool accumulate)
    {
        IsBackpropagation<double>(Everything, rows, accumulate);
        IsBackpropagation<float>(Everything, rows, accumulate);
        for (ulong seed = 1; seed <= 20; seed++)
        {
            IsBackpropagation<float>(LearningCases.RandomNetwork(seed), Math.Min(rows, 9), accumulate);
        }
    }

    [Fact]
    public void SignalsPassThroughTheFeedbackAndNothingElseChanges()
    {
        using var stage = new TestStage<double>(Everything, 5, LossKind.CrossEntropy);
        using var other = new TestStage<double>(Everything, 5, LossKind.CrossEntropy);
        LearningCases.Fill(stage);
        LearningCases.Fill(other);
        stage.Pass();
        double[][] exact = stage.Gradients.Select(g => g.Span.ToArray()).ToArray();
        TensorView<double>[] feedback = WeightsOnly(other, i =>
            FeedbackMatrices.Fill(Everything, other.Program.Parameters[i], 99, other.Parameters[i].Span));
        BackwardWith(stage, feedback, stage.Gradients, false);
        int last = exact.Length - 2;
        for (int i = 0; i < exact.Length; i++)
        {
            bool same = stage.Gradients[i].Span.SequenceEqual(exact[i]);
            same.ShouldBe(i >= last, stage.Program.Parameters[i].Name);
        }
    }

    [Fact]
    public void OneFeedbackLayerAtATimeIsTheTransposedWeightOfThatLayer()
    {
        // The signal of the first layer is (delta · B) ∘ f′, whatever the weights of the second one are.
        var network = new NetworkSpec(4, [new DenseSpec(5, ActivationKind.Tanh), new DenseSpec(3, ActivationKind.Linear)]);
        using var stage = new TestStage<double>(network, 2, LossKind.HalfSquaredError);
        using var hidden = new TestStage<double>(network, 2, null, 0, 1);
        LearningCases.Fill(stage);
        stage.Forward();
        stage.Loss();
        using var feedback = new Tensor<double>(3, 5);
        TestValues.Fill(feedback.Span, 8);
        BackwardWith(stage, [default, default, feedback.View, default], stage.Gradients, false, inputSignal: false);
        hidden.Parameters[0].Span.Clear();
        stage.Parameters[0].Span.CopyTo(hidden.Parameters[0].Span);
        stage.Input.Span.CopyTo(hidden.Input.Span);
        hidden.Forward();
        Gemm.Multiply(stage.Signal.View, false, feedback.View, false, hidden.Signal.View);
        hidden.Backward();
        LearningCases.ShouldBeClose<double>(stage.Gradients[0].Span, hidden.Gradients[0].Span, 1e-15);
        LearningCases.ShouldBeClose<double>(stage.Gradients[1].Span, hidden.Gradients[1].Span, 1e-15);
    }

    [Fact]
    public void WithoutRowsGradientsAreZeroOrUnchanged()
    {
        using var stage = new TestStage<double>(Everything, 0, LossKind.CrossEntropy);
        foreach (bool accumulate in new[] { true, false })
        {
            Array.ForEach(stage.Gradients, g => g.Span.Fill(3));
            BackwardWith(stage, stage.Parameters, stage.Gradients, accumulate);
            stage.Gradients.SelectMany(g => g.Span.ToArray()).ShouldAllBe(v => v == (accumulate ? 3 : 0));
        }
    }

    [Fact]
    public void FeedbackOfAnotherShapeIsRefused()
    {
        using var stage = new TestStage<double>(Everything, 2, LossKind.CrossEntropy);
        TensorView<double>[] feedback = stage.Parameters.ToArray();
        feedback[0] = feedback[1];
        Should.Throw<ArgumentException>(() => BackwardWith(stage, feedback, stage.Gradients, false))
            .Message.ShouldBe("layers.0.weight is 1 x 9 and should be 9 x 6.");
    }

    [Fact]
    public void FeedbackIsDrawnFromTheBoundsOfTheLayersWeightsAndApartFromThem()
    {
        var network = new NetworkSpec(50, [new DenseSpec(40, ActivationKind.Relu)]);
        var weight = new ParameterSpec("layers.0.weight", 0, 40, 50);
        double[] feedback = new double[2000], again = new double[2000], initial = new double[2000];
        FeedbackMatrices.Fill<double>(network, weight, 3, feedback);
        FeedbackMatrices.Fill<double>(network, weight, 3, again);
        ParameterInitializer.Fill<double>(network, weight, 3, initial);
        again.ShouldBe(feedback);
        feedback.Zip(initial).Count(pair => pair.First == pair.Second).ShouldBe(0);
        double bound = Math.Sqrt(6.0 / 50);
        feedback.Max().ShouldBeInRange(0.99 * bound, bound);
        feedback.Min().ShouldBeInRange(-bound, -0.99 * bound);
        ParameterSpec bias = weight with { Name = "layers.0.bias" };
        Should.Throw<ArgumentException>(() => FeedbackMatrices.Fill<double>(network, bias, 3, feedback));
    }

    private static void IsBackpropagation<T>(NetworkSpec network, int rows, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using var exact = new TestStage<T>(network, rows, LossKind.CrossEntropy);
        using var stage = new TestStage<T>(network, rows, LossKind.CrossEntropy);
        LearningCases.Fill(exact);
        LearningCases.Fill(stage);
        for (int i = 0; i < stage.Gradients.Length; i++)
        {
            TestValues.Fill(stage.Gradients[i].Span, (ulong)i);
            TestValues.Fill(exact.Gradients[i].Span, (ulong)i);
        }

        exact.Pass(accumulate);
        stage.Forward();
        stage.Loss();
        BackwardWith(stage, WeightsOnly(stage), stage.Gradients, accumulate, fork: new ReverseForkJoin(3));
        TestValues.Bits<T>(stage.InputSignal.Span).ShouldBe(TestValues.Bits<T>(exact.InputSignal.Span));
        stage.Gradients.Select(g => TestValues.Bits<T>(g.Span)).ShouldBe(exact.Gradients.Select(g => TestValues.Bits<T>(g.Span)));
    }

    private static void BackwardWith<T>(
        TestStage<T> stage, TensorView<T>[] feedback, TensorView<T>[] gradients, bool accumulate, bool inputSignal = true,
        ReverseForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => stage.Program.BackwardWith(
            stage.PassWith(fork), feedback, new StageSignals<T>(stage.Signal.View, inputSignal ? stage.InputSignal.View : default, gradients, accumulate));

    private static TensorView<T>[] WeightsOnly<T>(TestStage<T> stage, Action<int>? fill = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var feedback = new TensorView<T>[stage.Parameters.Length];
        for (int i = 0; i < feedback.Length; i++)
        {
            if (stage.Program.Parameters[i].Name.EndsWith("weight", StringComparison.Ordinal))
            {
                fill?.Invoke(i);
                feedback[i] = stage.Parameters[i];
            }
        }

        return feedback;
    }
}
