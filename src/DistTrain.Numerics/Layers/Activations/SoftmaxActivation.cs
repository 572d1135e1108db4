using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = exp(s) over its row sum. Jacobian: dy_i/ds_j = y_i (1[i = j] − y_j).</summary>
internal sealed class SoftmaxActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch) =>
        Elementwise.SoftmaxRows(s, y);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
    {
        for (int row = 0; row < y.Rows; row++)
        {
            Span<T> p = y.Row(row), g = signal.Row(row), d = delta.Row(row);
            T dot = T.Zero;
            for (int i = 0; i < p.Length; i++)
            {
                dot = T.FusedMultiplyAdd(p[i], g[i], dot);
            }

            for (int i = 0; i < p.Length; i++)
            {
                d[i] = p[i] * (g[i] - dot);
            }
        }
    }
}
