using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Losses;

/// <summary>A loss whose rows are computed one by one.</summary>
internal abstract class RowwiseLoss<T> : LossFunction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    protected sealed override void RowLosses(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, Span<double> losses, ComputeScratch scratch)
    {
        Span<double> work = scratch.Take<double>(2, output.Columns).Span;
        for (int row = 0; row < losses.Length; row++)
        {
            ReadOnlySpan<T> s = preActivation.IsNone ? default : preActivation.Row(row);
            losses[row] = RowLoss(s, output.Row(row), target.Row(row), work);
        }
    }

    /// <summary>One row's loss; <paramref name="work"/> holds two values per output.</summary>
    protected abstract double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work);
}
