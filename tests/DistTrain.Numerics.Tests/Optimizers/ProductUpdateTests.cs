using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Kernels;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.Optimizers;

public sealed class ProductUpdateTests
{
    // Ragged tiles, more columns than a block has, products large enough for threads, and more terms than go in one pass.
    private static readonly (int Outputs, int Inputs, int StepRows, int Rows)[] Shapes =
        [(40, 60, 7, 7), (33, 70, 11, 5), (40, 1_100, 20, 20), (130, 100, 40, 40), (300, 264, 64, 64), (40, 60, 7, 0)];

    private static readonly OptimizerSpec[] Specs =
    [
        new(OptimizerKind.Sgd, 0.1),
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, Nesterov = true, WeightDecay = 0.02 },
        new(OptimizerKind.Adam, 0.1) { WeightDecay = 0.02 },
        OptimizerDefaults.For(OptimizerKind.RmsProp, 0.1) with { Momentum = 0.8 },
        OptimizerDefaults.For(OptimizerKind.AdaDelta, 1.0),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Specs.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void ProductAndUpdateInOnePassGiveTheBitsOfOneAfterTheOther(int index)
    {
        foreach ((int outputs, int inputs, int stepRows, int rows) in Shapes)
        {
            OnePassIsTwo<float>(Specs[index], outputs, inputs, stepRows, rows);
            OnePassIsTwo<double>(Specs[index], outputs, inputs, stepRows, rows);
        }
    }

    [Fact]
    public void MoreRowsThanOnePassAddsGiveThemToo() => OnePassIsTwo<float>(Specs[1], 1_100, 1_100, 513, 513);

    [Fact]
    public void AWeightThatIsNotFiniteIsTold()
    {
        using Case<float> one = new(Specs[0], 300, 264, 64, 64);
        foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(2)])
        {
            one.Fused(fork).ShouldBeTrue();
        }

        one.Deltas.View.Row(63)[299] = float.PositiveInfinity;
        foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(2)])
        {
            one.Fused(fork).ShouldBeFalse();
        }
    }

    [Fact]
    public void OnlyWeightsThatHaveFewerValuesInTheirFactorsAreFactored()
    {
        ParameterSpec weight = new("layers.0.weight", 0, 128, 784), small = new("layers.1.weight", 1, 10, 128);
        weight.Factored(0).ShouldBe(weight);
        small.Factored(64).ShouldBe(small);
        ParameterSpec factored = weight.Factored(64);
        (factored.FactoredRows, factored.GradientLength, factored.Length, factored.StateLength).ShouldBe((64, (64 * 912) + 1, weight.Length, weight.Length));
        new ParameterSpec("w", 0, 4, 4).Factored(2).FactoredRows.ShouldBe(0, "as many values and their number are not fewer");
    }

    [Theory]
    [InlineData(8.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    public void FactorsOfMoreRowsThanThereIsRoomForAreRefused(double rows)
    {
        ParameterSpec weight = new ParameterSpec("layers.0.weight", 0, 40, 60).Factored(7);
        using Tensor<double> gradient = new(1, weight.GradientLength);
        gradient.Span[^1] = rows;
        Should.Throw<InvalidOperationException>(() => new GradientFactors<double>(weight, gradient.View).Inputs).Message.ShouldEndWith("expected 0 to 7.");
    }

    private static void OnePassIsTwo<T>(OptimizerSpec spec, int outputs, int inputs, int stepRows, int rows)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Case<T> one = new(spec, outputs, inputs, stepRows, rows);
        T[][] expected = one.Apart();
        foreach (IForkJoin? fork in (IForkJoin?[])[null, new ReverseForkJoin(2), new ReverseForkJoin(3), new TwoThreadForkJoin()])
        {
            one.Clear();
            one.Fused(fork).ShouldBeTrue();
            TestValues.Bits<T>(one.NextWeights.Span).ShouldBe(TestValues.Bits<T>(expected[0]), $"{spec}, {outputs} x {inputs} x {rows}, {fork?.Width ?? 1} threads");
            TestValues.Bits<T>(one.NextState.Span).ShouldBe(TestValues.Bits<T>(expected[1]));
        }
    }

    /// <summary>A weight, its state and the factors of its gradient.</summary>
    private sealed class Case<T> : IDisposable
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private const double Rate = 0.1, Scale = 0.7;

        private readonly Optimizer<T> _optimizer;
        private readonly ParameterSpec _weight;
        private readonly Tensor<T> _weights, _state, _inputs, _gradient;
        private readonly ComputeScratch _scratch = new();

        public Case(OptimizerSpec spec, int outputs, int inputs, int stepRows, int rows)
        {
            _optimizer = new Optimizer<T>(spec);
            _weight = new ParameterSpec("layers.0.weight", 0, outputs, inputs).Factored(stepRows);
            _weight.FactoredRows.ShouldBe(stepRows);
            (_weights, NextWeights) = (new Tensor<T>(outputs, inputs), new Tensor<T>(outputs, inputs));
            (_state, NextState) = (new Tensor<T>(_optimizer.StateCount, _weight.Length), new Tensor<T>(_optimizer.StateCount, _weight.Length));
            (_inputs, Deltas, _gradient) = (new Tensor<T>(rows, inputs), new Tensor<T>(rows, outputs), new Tensor<T>(1, _weight.GradientLength));
            TestValues.Fill(_weights.Span, 1);
            TestValues.Fill(_state.Span, 2, 0, 1);
            TestValues.Fill(_inputs.Span, 3);
            TestValues.Fill(Deltas.Span, 4);

            // What a smaller step leaves of the last one's memory is nobody's gradient.
            _gradient.Span.Fill(T.NaN);
        }

        public Tensor<T> Deltas { get; }

        public Tensor<T> NextWeights { get; }

        public Tensor<T> NextState { get; }

        public void Clear()
        {
            NextWeights.Span.Clear();
            NextState.Span.Clear();
        }

        /// <summary>Weights and state by the product and then the update.</summary>
        public T[][] Apart()
        {
            using Tensor<T> product = new(_weight.Rows, _weight.Columns);
            Gemm.Multiply(Deltas.View, true, _inputs.View, false, product.View);
            _optimizer.Apply(Rate, 3, Scale, _weights.Span, product.Span, _state.Span, NextWeights.Span, NextState.Span).ShouldBeTrue();
            return [NextWeights.Span.ToArray(), NextState.Span.ToArray()];
        }

        public bool Fused(IForkJoin? fork)
        {
            _gradient.Span[^1] = T.Zero;
            new GradientFactors<T>(_weight, _gradient.View).Append(_inputs.View, Deltas.View);
            return _optimizer.ApplyFactors(
                _weight, Rate, 3, Scale, _weights.View, _gradient.View, _state.Span, NextWeights.View, NextState.Span, _scratch, fork);
        }

        public void Dispose()
        {
            foreach (Tensor<T> tensor in (Tensor<T>[])[_weights, _state, _inputs, _gradient, Deltas, NextWeights, NextState])
            {
                tensor.Dispose();
            }

            _scratch.Dispose();
        }
    }
}
