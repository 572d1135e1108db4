using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>The affine start of a layer, s = x Wᵀ + b, whatever W is made of.</summary>
internal abstract class AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Setting up vectors costs more than so many additions.
    private const int FewColumns = 8;

    /// <summary>Writes s (rows × outputs).</summary>
    public abstract void Forward(in ForwardPass<T> pass, TensorView<T> s);

    /// <summary>From delta = d(loss)/ds: the gradients of the map's parameters, and d(loss)/dx if asked. Gradients add by
    /// sample.</summary>
    public abstract void Backward(in BackwardPass<T> pass, TensorView<T> delta);

    /// <summary>The gradient of b: the column sums of delta, row after row.</summary>
    protected static void AddColumns(TensorView<T> delta, Span<T> gradient, bool accumulate, ComputeScratch scratch)
    {
        long mark = scratch.Mark;
        Span<T> sum = accumulate ? scratch.Take<T>(1, delta.Columns).Span : gradient;
        delta.Row(0).CopyTo(sum);
        if (delta.Columns < FewColumns)
        {
            for (int row = 1; row < delta.Rows; row++)
            {
                ReadOnlySpan<T> values = delta.Row(row);
                for (int j = 0; j < values.Length; j++)
                {
                    sum[j] += values[j];
                }
            }
        }
        else
        {
            for (int row = 1; row < delta.Rows; row++)
            {
                TensorPrimitives.Add(sum, delta.Row(row), sum);
            }
        }

        if (accumulate)
        {
            TensorPrimitives.Add(gradient, sum, gradient);
        }

        scratch.Release(mark);
    }
}

/// <summary>s = x Wᵀ + b, with W of its own or (tied) the transpose of another layer's weight.</summary>
/// <param name="weight">Index of the weight among the stage's parameters.</param>
/// <param name="bias">Index of the bias, or −1.</param>
/// <param name="tied">Whether the weight serves transposed: s = x W + b.</param>
/// <param name="weightShared">Whether a later layer uses the weight too, and so has written its gradient earlier in the
/// pass.</param>
internal sealed class WeightMap<T>(int weight, int bias, bool tied, bool weightShared) : AffineMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass, TensorView<T> s)
    {
        TensorView<T> b = bias < 0 ? default : pass.Parameters[bias];
        Gemm.Multiply(pass.Input, false, pass.Parameters[weight], !tied, s, false, b, pass.Fork);
    }

    /// <summary>
    /// From delta = d(loss)/ds: the gradients of W and b, and d(loss)/dx if asked. Gradients add by sample: the weight's in the
    /// matrix product's documented order, the bias's row after row. The signal passes through the pass's feedback weight.
    /// </summary>
    public override void Backward(in BackwardPass<T> pass, TensorView<T> delta)
    {
        ForwardPass<T> forward = pass.Forward;
        TensorView<T> gradient = pass.Gradients[weight];
        bool add = pass.Accumulate || weightShared;
        if (tied)
        {
            Gemm.Multiply(forward.Input, true, delta, false, gradient, add, default, forward.Fork);
        }
        else
        {
            Gemm.Multiply(delta, true, forward.Input, false, gradient, add, default, forward.Fork);
        }

        if (bias >= 0)
        {
            AddColumns(delta, pass.Gradients[bias].Span, pass.Accumulate, forward.Scratch);
        }

        if (!pass.InputSignal.IsNone)
        {
            Gemm.Multiply(delta, false, pass.Feedback[weight], tied, pass.InputSignal, false, default, forward.Fork);
        }
    }
}
