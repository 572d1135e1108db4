using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>s = c·S₀ + Φ·Θ + b: the start of a layer whose weights are kept as contributions; see
/// <see cref="ContributedSpec"/>.</summary>
/// <param name="spec">Its shape and form.</param>
/// <param name="theta">Index of Θ among the stage's parameters.</param>
/// <param name="scale">Index of c.</param>
/// <param name="bias">Index of b, or −1.</param>
internal sealed class ContributedMap<T>(ContributedSpec spec, int theta, int scale, int bias) : AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int _features = spec.Features, _outputs = spec.Outputs;

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass, TensorView<T> s)
    {
        TensorView<T> b = bias < 0 ? default : pass.Parameters[bias];
        TensorPrimitives.Multiply(FirstOutputs(pass.Input).Span, pass.Parameters[scale].Span[0], s.Span);
        Gemm.Multiply(Coordinates(pass.Input), false, pass.Parameters[theta], false, s, true, b, pass.Fork);
    }

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass, TensorView<T> delta)
    {
        ForwardPass<T> forward = pass.Forward;
        TensorView<T> gradient = pass.Gradients[theta];
        Span<T> scaleGradient = pass.Gradients[scale].Span;
        if (!pass.Accumulate)
        {
            scaleGradient.Clear();
        }

        if (spec.Scatter)
        {
            new ContributedRows<T>(spec, gradient).Append(delta, Indices(forward.Input));
            if (spec.NeedsNorm)
            {
                scaleGradient[0] += SquaredNorm(forward, delta);
            }
        }
        else
        {
            Gemm.Multiply(Coordinates(forward.Input), true, delta, false, gradient, pass.Accumulate, default, forward.Fork);
        }

        if (bias >= 0)
        {
            Elementwise.ColumnSums(delta, pass.Gradients[bias].Span, pass.Accumulate);
        }

        if (!pass.InputSignal.IsNone)
        {
            throw new ArgumentException("A contributed layer is the first one: nothing before it takes a signal.", nameof(pass));
        }
    }

    /// <summary>‖X_Bᵀ D‖² = Σ D ∘ (K_BB D) for the rows B of this pass; what rounding makes negative is 0.</summary>
    private T SquaredNorm(in ForwardPass<T> pass, TensorView<T> delta)
    {
        int rows = delta.Rows;
        long mark = pass.Scratch.Mark;
        TensorView<T> own = pass.Scratch.Take<T>(rows, rows), product = pass.Scratch.Take<T>(rows, _outputs);
        TensorView<T> coordinates = Coordinates(pass.Input);
        ReadOnlySpan<T> indices = Indices(pass.Input);
        for (int row = 0; row < rows; row++)
        {
            Span<T> from = coordinates.Row(row), to = own.Row(row);
            for (int column = 0; column < rows; column++)
            {
                to[column] = from[int.CreateChecked(indices[column])];
            }
        }

        Gemm.Multiply(own, false, delta, false, product, false, default, pass.Fork);
        double sum = 0;
        Span<T> left = delta.Span, right = product.Span;
        for (int i = 0; i < left.Length; i++)
        {
            sum = Math.FusedMultiplyAdd(double.CreateChecked(left[i]), double.CreateChecked(right[i]), sum);
        }

        pass.Scratch.Release(mark);
        return T.CreateSaturating(Math.Max(0, sum));
    }

    private TensorView<T> Coordinates(TensorView<T> input) => input.Slice(0, input.Rows, _features);

    private TensorView<T> FirstOutputs(TensorView<T> input) => input.Slice(input.Rows * _features, input.Rows, _outputs);

    private Span<T> Indices(TensorView<T> input) => input.Slice(input.Rows * (_features + _outputs), 1, input.Rows).Span;
}
