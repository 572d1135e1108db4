using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.FrontContribution;

/// <summary>A layer held as a history is the layer with the weights that the history stands for.</summary>
public sealed class HistoryLayerTests
{
    private const int D = 7, StepRows = 3;
    private static readonly int[] RowsAfter = [3, 6, 2, 5, 3, 5];

    public static TheoryData<LayerSpec> Layers =>
    [
        new DenseSpec(4, ActivationKind.Tanh), new DenseSpec(4, ActivationKind.Prelu, Bias: false), new MaxoutSpec(3, 2), new KCompetitiveSpec(4, 2, 1.5),
    ];

    public static TheoryData<OptimizerSpec> Optimizers =>
    [
        new(OptimizerKind.Sgd, 0.1),
        new(OptimizerKind.Sgd, 0.1) { WeightDecay = 0.05 },
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 },
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, WeightDecay = 0.05 },
        new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, WeightDecay = 0.05, Nesterov = true },
    ];

    [Theory]
    [MemberData(nameof(Layers))]
    public void ItGivesTheOutputsSignalsAndGradientsOfTheConventionalLayer(LayerSpec layer)
    {
        HistorySpec spec = new(layer, D, RowsMax: 7, StepRows, HasVelocity: true);
        using TestStage<double> conventional = new(new NetworkSpec(D, [layer]), StepRows), history = new(new NetworkSpec(D, [spec]), StepRows);
        using Trained trained = new(spec, new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9, WeightDecay = 0.05 });
        for (int step = 1; step <= 4; step++)
        {
            // Two steps fit, so after four the base is a mixture and there are rows besides.
            trained.Step(step);
        }

        trained.Values.Span.CopyTo(history.Parameter("layers.0.history").Span);
        trained.Weights.Span.CopyTo(conventional.Parameter("layers.0.weight").Span);
        foreach (ParameterSpec other in conventional.Program.Parameters.Skip(1))
        {
            TestValues.Fill(conventional.Parameter(other.Name).Span, 9);
            conventional.Parameter(other.Name).Span.CopyTo(history.Parameter(other.Name).Span);
        }

        foreach (TestStage<double> stage in (TestStage<double>[])[conventional, history])
        {
            TestValues.Fill(stage.Input.Span, 3);
            TestValues.Fill(stage.Signal.Span, 8);
            stage.Forward();
            stage.Backward();
        }

        ShouldBeClose(history.Output.View, conventional.Output.View);
        ShouldBeClose(history.InputSignal.View, conventional.InputSignal.View);
        foreach (ParameterSpec other in conventional.Program.Parameters.Skip(1))
        {
            ShouldBeClose(history.Gradient(other.Name), conventional.Gradient(other.Name));
        }

        TensorView<double> gradient = conventional.Gradient("layers.0.weight");
        GradientFactors<double> factors = new(spec, history.Gradient("layers.0.history"));
        using Tensor<double> product = new(spec.Outputs, D);
        Gemm.Multiply(factors.Deltas, true, factors.Inputs, false, product.View);
        ShouldBeClose(product.View, gradient);
        factors.SquaredNorm(history.Scratch).ShouldBe(Elementwise.SumOfSquares<double>(gradient.Span), 1e-13);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void ItsWeightsAndVelocityAreThoseOfSgdOnTheWeights(OptimizerSpec optimizer)
    {
        HistorySpec spec = new(new DenseSpec(4, ActivationKind.Linear), D, RowsMax: 7, StepRows, optimizer.Momentum > 0);
        using Trained trained = new(spec, optimizer);
        Optimizer<double> sgd = new(optimizer);
        double[] weights = trained.Weights.Span.ToArray(), velocity = new double[sgd.StateCount * weights.Length];
        for (int step = 1; step <= 25; step++)
        {
            using Tensor<double> gradient = trained.Step(step);
            sgd.Apply(Trained.Rate(step), step, Trained.Scale(step), weights, gradient.Span, velocity, weights, velocity);
            Largest(trained.Weights.Span, weights).ShouldBeLessThan(1e-13, $"step {step}");
            Largest(trained.Velocity.Span[..velocity.Length], velocity).ShouldBeLessThan(1e-13, $"step {step}");

            // Steps of 3, 3 and 2 rows, and room for 7: a step that finds no room begins anew.
            trained.Rows.ShouldBe(RowsAfter[(step - 1) % RowsAfter.Length], $"step {step}");
        }
    }

    [Fact]
    public void MicroBatchesGatherTheirRowsHoweverManyThereAre()
    {
        // Above 512 rows the gradients of a pass that adds are computed apart.
        const int Rows = 600;
        HistorySpec spec = new(new DenseSpec(4, ActivationKind.Tanh), D, RowsMax: 2 * Rows, StepRows: 2 * Rows, HasVelocity: false);
        using TestStage<double> stage = new(new NetworkSpec(D, [spec]), Rows);
        TensorView<double> gradient = stage.Gradient("layers.0.history");
        GradientFactors<double> factors = new(spec, gradient);
        TestValues.Fill(gradient.Span, 4);
        gradient.Span[^1] = 17;
        for (int step = 0; step < 2; step++)
        {
            for (int microBatch = 0; microBatch < 2; microBatch++)
            {
                TestValues.Fill(stage.Input.Span, (ulong)microBatch);
                TestValues.Fill(stage.Signal.Span, 8);
                stage.Forward();
                stage.Backward(accumulate: microBatch > 0);
                factors.Rows.ShouldBe((microBatch + 1) * Rows);
                factors.Inputs.Slice(microBatch * Rows * D, Rows, D).Span.SequenceEqual(stage.Input.Span).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void ThereIsRoomForAsManyRowsAsInputsOrForAStep()
    {
        NetworkSpec network = new(D, [new DenseSpec(9, ActivationKind.Relu), new DropoutSpec(0.5), new DenseSpec(4, ActivationKind.Relu)]);
        HistorySpec.Of(network, 1, 3, hasVelocity: true).ShouldBeNull();
        HistorySpec.Of(network, 2, 3, hasVelocity: true)!.RowsMax.ShouldBe(9);
        HistorySpec.Of(network, 2, 30, hasVelocity: true)!.RowsMax.ShouldBe(30);
    }

    private static double Largest(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double largest = 0;
        for (int i = 0; i < a.Length; i++)
        {
            largest = Math.Max(largest, Math.Abs(a[i] - b[i]));
        }

        return largest;
    }

    private static void ShouldBeClose(TensorView<double> actual, TensorView<double> expected)
    {
        actual.Length.ShouldBe(expected.Length);
        Largest(actual.Span, expected.Span).ShouldBeLessThan(1e-13);
    }

    /// <summary>A history that is updated with drawn factors, rates and clipping factors.</summary>
    private sealed class Trained : IDisposable
    {
        private readonly HistorySpec _spec;
        private readonly HistoryParameter<double> _parameter;
        private readonly ComputeScratch _scratch = new();
        private Tensor<double> _values, _next;
        private double[] _state, _nextState;

        public Trained(HistorySpec spec, OptimizerSpec optimizer)
        {
            Optimizer<double> sgd = new(optimizer);
            _spec = spec;
            _parameter = new HistoryParameter<double>(spec, sgd);
            (_values, _next) = (new Tensor<double>(1, (int)spec.Values), new Tensor<double>(1, (int)spec.Values));
            (_state, _nextState) = (new double[sgd.StateCount * spec.Coefficients], new double[sgd.StateCount * spec.Coefficients]);
            (Weights, Velocity) = (new Tensor<double>(spec.Outputs, spec.Inputs), new Tensor<double>(spec.Outputs, spec.Inputs));
            TestValues.Fill(_values.Span[..Weights.View.Length], 1);
            _parameter.Begin(_values.View, _state);
            Expand();
        }

        public TensorView<double> Values => _values.View;

        public Tensor<double> Weights { get; }

        public Tensor<double> Velocity { get; }

        public int Rows => new History<double>(_spec, _values.View).Rows;

        public static double Rate(int step) => 0.1 / step;

        public static double Scale(int step) => step % 2 == 0 ? 0.5 : 1;

        /// <summary>One step, and the gradient that its factors stand for. Every third step has a row less.</summary>
        public Tensor<double> Step(int step)
        {
            int rows = step % 3 == 0 ? StepRows - 1 : StepRows;
            using Tensor<double> inputs = new(rows, _spec.Inputs), deltas = new(rows, _spec.Outputs), factors = new(1, (StepRows * (_spec.Inputs + _spec.Outputs)) + 1);
            TestValues.Fill(inputs.Span, (ulong)(10 * step));
            TestValues.Fill(deltas.Span, (ulong)((10 * step) + 1));
            new GradientFactors<double>(_spec, factors.View).Append(inputs.View, deltas.View);
            _parameter.Apply(Rate(step), step, Scale(step), _values.View, factors.View, _state, _next.View, _nextState, _scratch).ShouldBeTrue();
            (_values, _next, _state, _nextState) = (_next, _values, _nextState, _state);
            Expand();
            Tensor<double> gradient = new(_spec.Outputs, _spec.Inputs);
            Gemm.Multiply(deltas.View, true, inputs.View, false, gradient.View);
            return gradient;
        }

        public void Dispose()
        {
            Array.ForEach([_values, _next, Weights, Velocity], tensor => tensor.Dispose());
            _scratch.Dispose();
        }

        private void Expand() => _parameter.Expand(_values.View, _state, Weights.View, _state.Length > 0 ? Velocity.View : default, _scratch);
    }
}
