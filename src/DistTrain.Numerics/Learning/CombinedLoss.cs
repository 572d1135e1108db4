using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>(1 − β) · prediction + β · similarity (Nøkland and Eidnes 2019, section 2.3).</summary>
internal sealed class CombinedLoss<T>(PredictionLoss<T> prediction, SimilarityLoss<T> similarity, double beta) : LocalLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override LossResult Signal(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> networkInput, TensorView<T> output, TensorView<T> target,
        TensorView<T> signal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch,
        IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        int own = prediction.ParameterCount;
        bool learns = !gradients.IsEmpty;
        long mark = scratch.Mark;
        TensorView<T> other = signal.IsNone ? default : scratch.Take<T>(signal.Rows, signal.Columns);
        LossResult first = prediction.Signal(
            parameters[..own], networkInput, output, target, signal, learns ? gradients[..own] : default, accumulate,
            (1 - beta) * rowWeight, scratch, fork);
        LossResult second = similarity.Signal(
            parameters[own..], networkInput, output, target, other, learns ? gradients[own..] : default, accumulate,
            beta * rowWeight, scratch, fork);
        if (!signal.IsNone)
        {
            TensorPrimitives.Add(signal.Span, other.Span, signal.Span);
        }

        scratch.Release(mark);
        return first with { LossSum = ((1 - beta) * first.LossSum) + (beta * second.LossSum) };
    }
}
