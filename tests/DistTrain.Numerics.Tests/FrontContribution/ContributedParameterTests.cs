using System.Numerics;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Numerics.Tests.Kernels;
using DistTrain.Numerics.Tests.Layers;
using Shouldly;
using Xunit;

namespace DistTrain.Numerics.Tests.FrontContribution;

/// <summary>Θ updated from a step's rows, beside the optimizer itself given the whole gradient with its zeros.</summary>
public sealed class ContributedParameterTests
{
    private static readonly int[] Rows = [5, 0, 3];

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0.9, 0, false)]
    [InlineData(0.9, 1e-3, false)]
    [InlineData(0.9, 1e-3, true)]
    public void RowsGiveTheBitsOfTheWholeGradientAtEveryWidth(double momentum, double decay, bool nesterov)
    {
        OptimizerSpec spec = new(OptimizerKind.Sgd, 0.1) { Momentum = momentum, WeightDecay = decay, Nesterov = nesterov };
        for (int width = 1; width <= 70; width++)
        {
            Compare<float>(spec, features: 7, width, fork: null);
            Compare<double>(spec, features: 7, width, fork: null);
        }
    }

    [Fact]
    public void ThreadsThatTakePartsOfRowsChangeNoBit()
    {
        OptimizerSpec spec = new(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 };
        Compare<float>(spec, features: 700, width: 77, new ReverseForkJoin(width: 2));
        Compare<double>(spec, features: 700, width: 77, new ReverseForkJoin(width: 2));
    }

    [Fact]
    public void AValueThatIsNotFiniteIsTold()
    {
        OptimizerSpec spec = new(OptimizerKind.Sgd, 0.1);
        foreach (int at in (int[])[0, 17, (3 * 17) - 1])
        {
            using Problem<float> problem = new(spec, features: 7, width: 17);
            problem.Deltas.Span[at] = float.NaN;
            problem.ByRows(null).ShouldBeFalse();
        }
    }

    private static void Compare<T>(OptimizerSpec spec, int features, int width, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Problem<T> problem = new(spec, features, width);
        problem.ByRows(fork).ShouldBeTrue();
        problem.Whole().ShouldBeTrue();
        problem.Next.Span.SequenceEqual(problem.ExpectedNext.Span).ShouldBeTrue($"weights, width {width}");
        problem.NextState.Span.SequenceEqual(problem.ExpectedState.Span).ShouldBeTrue($"velocity, width {width}");
    }

    private sealed class Problem<T> : IDisposable
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private const double Rate = 0.05, Scale = 0.75;
        private readonly Optimizer<T> _optimizer;
        private readonly ContributedSpec _layer;
        private readonly ComputeScratch _scratch = new();
        private readonly Tensor<T> _values, _state, _gradient;

        public Problem(OptimizerSpec spec, int features, int width)
        {
            _optimizer = new Optimizer<T>(spec);
            _layer = new ContributedSpec(new DenseSpec(width, ActivationKind.Linear), features, Scatter: true, NeedsNorm: false, StepRows: Rows.Length + 1);
            int states = features * width * _optimizer.StateCount;
            (_values, Next, ExpectedNext) = (new(features, width), new(features, width), new(features, width));
            (_state, NextState, ExpectedState) = (new(1, states), new(1, states), new(1, states));
            _gradient = new Tensor<T>(1, (_layer.StepRows * (width + 1)) + 1);
            Deltas = new Tensor<T>(Rows.Length, width);
            TestValues.Fill(_values.Span, 1);
            TestValues.Fill(_state.Span, 2);
            TestValues.Fill(Deltas.Span, 3);
        }

        public Tensor<T> Deltas { get; }

        public Tensor<T> Next { get; }

        public Tensor<T> NextState { get; }

        public Tensor<T> ExpectedNext { get; }

        public Tensor<T> ExpectedState { get; }

        public bool ByRows(IForkJoin? fork)
        {
            ContributedRows<T> rows = new(_layer, _gradient.View);

            // Two passes, as two micro-batches make them.
            rows.Append(Deltas.View.Slice(0, 1, Deltas.View.Columns), [T.CreateChecked(Rows[0])]);
            rows.Append(Deltas.View.Slice(Deltas.View.Columns, 2, Deltas.View.Columns), [T.CreateChecked(Rows[1]), T.CreateChecked(Rows[2])]);
            return new ContributedParameter<T>(_layer, _optimizer).Apply(
                Rate, 1, Scale, _values.View, _gradient.View, _state.Span, Next.View, NextState.Span, _scratch, fork);
        }

        public bool Whole()
        {
            using Tensor<T> whole = new(_values.View.Rows, _values.View.Columns);
            for (int row = 0; row < Rows.Length; row++)
            {
                Deltas.View.Row(row).CopyTo(whole.View.Row(Rows[row]));
            }

            return _optimizer.Apply(Rate, 1, Scale, _values.Span, whole.Span, _state.Span, ExpectedNext.Span, ExpectedState.Span);
        }

        public void Dispose()
        {
            foreach (Tensor<T> tensor in (Tensor<T>[])[_values, _state, _gradient, Deltas, Next, NextState, ExpectedNext, ExpectedState])
            {
                tensor.Dispose();
            }

            _scratch.Dispose();
        }
    }
}
