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
