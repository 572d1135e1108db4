using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Layers;

public sealed class SmallStageTests
{
    private static readonly ActivationKind[] Activations = Enum.GetValues<ActivationKind>();

    public static TheoryData<ActivationKind, LossKind> Lasts()
    {
        TheoryData<ActivationKind, LossKind> cases = [];
        foreach (ActivationKind activation in Activations)
        {
            cases.Add(activation, LossKind.SquaredError);
        }

        cases.Add(ActivationKind.Softmax, LossKind.CrossEntropy);
        cases.Add(ActivationKind.Sigmoid, LossKind.BinaryCrossEntropy);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Lasts))]
    public void APassHasTheBitsOfTheKernels(ActivationKind last, LossKind loss)
    {
        foreach (ActivationKind hidden in Activations)
        {
            foreach ((int inputs, int units, int outputs) in ((int, int, int)[])[(1, 1, 1), (2, 2, 1), (3, 5, 4), (7, 6, 2), (16, 9, 3)])
            {
                foreach (bool bias in (bool[])[true, false])
                {
                    NetworkSpec network = new(
                        inputs, [new DenseSpec(units, hidden, bias), new DenseSpec(units + 1, ActivationKind.Linear, !bias), new DenseSpec(outputs, last, bias)]);
                    Compare<float>(network, loss);
                    Compare<double>(network, loss);
                }
            }
        }
    }

    [Fact]
    public void AStageOfOneLayerHasTheBitsOfTheKernels()
    {
        foreach (ActivationKind activation in Activations)
        {
            NetworkSpec network = new(4, [new DenseSpec(3, activation)]);
            Compare<float>(network, LossKind.HalfSquaredError);
            Compare<double>(network, LossKind.HalfSquaredError);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void TheFirstLayerThatIsNotFiniteIsNamed(int layer)
    {
        NetworkSpec network = new(2, [new DenseSpec(3, ActivationKind.Linear), new DenseSpec(2, ActivationKind.Relu), new DenseSpec(1, ActivationKind.Linear)]);
        foreach (float value in (float[])[float.NaN, float.PositiveInfinity])
        {
            using TestStage<float> stage = new(network, 4, LossKind.SquaredError);
            stage.Program.Small!.Serves(4).ShouldBeTrue();
            TestValues.Fill(stage.Input.Span, 2);
            stage.Parameter($"layers.{layer}.bias").Span[0] = value;
            stage.Forward().ShouldBe(layer);
        }
    }

    [Fact]
    public void WhatIsInfiniteBeforeTheActivationAndFiniteBehindItIsFinite()
    {
        using TestStage<float> stage = new(new NetworkSpec(2, [new DenseSpec(3, ActivationKind.Sigmoid)]), 4, LossKind.SquaredError);
        stage.Parameter("layers.0.bias").Span[1] = float.PositiveInfinity;
        stage.Forward().ShouldBe(-1);
    }

    [Fact]
    public void LargeLayersAndOtherKindsAreLeftToTheKernels()
    {
        new StageProgram<float>(new NetworkSpec(64, [new DenseSpec(64, ActivationKind.Relu)]), 0, 1).Small.ShouldBeNull();
        new StageProgram<float>(new NetworkSpec(4, [new DropoutSpec(0.5), new DenseSpec(3, ActivationKind.Relu)]), 0, 2).Small.ShouldBeNull();
        new StageProgram<float>(new NetworkSpec(4, [new DenseSpec(3, ActivationKind.Relu), new DenseSpec(4, ActivationKind.Relu, TiedTo: 0)]), 0, 2).Small.ShouldBeNull();
        SmallStage<float> small = new StageProgram<float>(new NetworkSpec(4, [new DenseSpec(4, ActivationKind.Relu)]), 0, 1).Small!;
        small.Serves(12).ShouldBeTrue();
        small.Serves(13).ShouldBeFalse();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 96)]
    [InlineData(1, 97)]
    [InlineData(2, 48)]
    [InlineData(2, 49)]
    public void TheNumberOfRowsThatIsServedChangesNoBit(int inputs, int rows)
    {
        NetworkSpec network = new(inputs, [new DenseSpec(2, ActivationKind.Tanh), new DenseSpec(1, ActivationKind.Linear)]);
        using TestStage<float> any = new(network, rows, LossKind.SquaredError), kernels = new(network, rows, LossKind.SquaredError, byKernels: true);
        any.Program.Small!.Serves(rows).ShouldBe(rows * inputs * 2 <= 192);
        Start(any);
        Start(kernels);
        any.Pass();
        kernels.Pass();
        ShouldAgree(any, kernels);
    }

    [Fact]
    public void SpecialValuesHaveTheBitsOfTheKernels()
    {
        float[] special = [0, -0f, float.Epsilon, -float.Epsilon, 1e-39f, 3e38f, -3e38f, float.PositiveInfinity, float.NegativeInfinity];
        foreach (ActivationKind activation in (ActivationKind[])[ActivationKind.Linear, ActivationKind.Relu, ActivationKind.Sigmoid])
        {
            NetworkSpec network = new(3, [new DenseSpec(3, activation), new DenseSpec(2, ActivationKind.Linear)]);
            using TestStage<float> small = new(network, 6, LossKind.SquaredError), kernels = new(network, 6, LossKind.SquaredError, byKernels: true);
            foreach (TestStage<float> stage in (TestStage<float>[])[small, kernels])
            {
                Start(stage);
                for (int i = 0; i < special.Length; i++)
                {
                    stage.Input.Span[i] = special[i];
                    stage.Gradients[0].Span[i] = -special[i];
                }

                stage.Gradients[1].Span.Fill(-0f);
            }

            small.Forward().ShouldBe(kernels.Forward());
            small.Signal.Span.Fill(-0f);
            kernels.Signal.Span.Fill(-0f);
            small.Backward(accumulate: true);
            kernels.Backward(accumulate: true);
            ShouldAgree(small, kernels);
        }
    }

    [Fact]
    public void WhatHasNoRoomOrNoWeightIsRefused()
    {
        using TestStage<float> stage = new(new NetworkSpec(4, [new DenseSpec(4, ActivationKind.Relu), new DenseSpec(2, ActivationKind.Linear)]), 3, LossKind.SquaredError);
        using Tensor<float> narrow = new(1, 4);
        stage.Forward();
        Should.Throw<ArgumentException>(() => stage.Program.Backward(
            stage.PassWith(), new StageSignals<float>(stage.Signal.View, narrow.View, stage.Gradients, accumulate: false)))
            .Message.ShouldBe("input signal is 1 x 4 and should be 3 x 4.");
        TensorView<float>[] feedback = [.. stage.Parameters];
        feedback[2] = default;
        Should.Throw<ArgumentException>(() => stage.BackwardWith(feedback)).Message.ShouldBe("The signal of layer 1 has no weight to pass through.");
    }

    private static void Compare<T>(NetworkSpec network, LossKind loss)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int compared = 0;
        foreach (int rows in (int[])[1, 2, 3, 4, 5, 8, 11])
        {
            using TestStage<T> small = new(network, rows, loss), kernels = new(network, rows, loss, byKernels: true);
            if (!small.Program.Small!.Serves(rows))
            {
                continue;
            }

            compared++;
            Start(small);
            Start(kernels);
            foreach ((bool accumulate, bool inputSignal) in ((bool, bool)[])[(false, true), (true, true), (true, false)])
            {
                small.Forward().ShouldBe(kernels.Forward());
                small.Loss().ShouldBe(kernels.Loss());
                small.Backward(accumulate, inputSignal);
                kernels.Backward(accumulate, inputSignal);
                ShouldAgree(small, kernels);
            }

            // Signals through other weights than those of the forward pass.
            using TestStage<T> others = new(network, rows, loss);
            others.Initialize(network, 99);
            small.BackwardWith(others.Parameters);
            kernels.BackwardWith(others.Parameters);
            ShouldAgree(small, kernels);
        }

        compared.ShouldBeGreaterThan(0);
    }

    private static void Start<T>(TestStage<T> stage)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TestValues.Fill(stage.Input.Span, 2);
        TestValues.Fill(stage.Target.Span, 3, 0);
        for (int i = 0; i < stage.Parameters.Length; i++)
        {
            TestValues.Fill(stage.Parameters[i].Span, (ulong)(4 + i));
        }

        stage.RowWeight = 1.0 / 3;
    }

    private static void ShouldAgree<T>(TestStage<T> small, TestStage<T> kernels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TestValues.Bits<T>(small.Output.Span).ShouldBe(TestValues.Bits<T>(kernels.Output.Span));
        TestValues.Bits<T>(small.InputSignal.Span).ShouldBe(TestValues.Bits<T>(kernels.InputSignal.Span));
        for (int i = 0; i < small.Gradients.Length; i++)
        {
            TestValues.Bits<T>(small.Gradients[i].Span).ShouldBe(TestValues.Bits<T>(kernels.Gradients[i].Span));
        }
    }
}
