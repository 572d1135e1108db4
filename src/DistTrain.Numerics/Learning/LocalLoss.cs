using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>A loss of a stage's output by which the stage learns alone. Immutable, without state between calls, so that threads
/// share it; nothing is allocated on the managed heap once the scratch has grown.</summary>
/// <remarks>
/// Signals and gradients are those of rowWeight · rows · L, where L is the mean loss of the rows or, for losses that compare the
/// rows with each other, the loss of the rows at hand. With the whole step in one micro-batch that is L; with several, it is the
/// mean of their losses by rows.
/// </remarks>
public abstract class LocalLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private protected LocalLoss()
    {
    }

    /// <summary>Whether <see cref="Signal"/> reads the network's input.</summary>
    public virtual bool NeedsNetworkInput => false;

    /// <summary>The loss, its signal and the gradients of the rule's tensors.</summary>
    /// <param name="parameters">As <see cref="LocalRules.ParametersOf"/> lists them.</param>
    /// <param name="networkInput">Rows × the network's inputs; none unless <see cref="NeedsNetworkInput"/>.</param>
    /// <param name="output">The stage's output, rows × width.</param>
    /// <param name="target">Rows × the network's outputs.</param>
    /// <param name="signal">Receives d(loss)/d(output), rows × width; none, together with no gradients, to compute the loss
    /// only.</param>
    /// <param name="gradients">One for each parameter.</param>
    /// <param name="accumulate">Whether to add to the gradients instead of overwriting them; the same bits as adding a gradient
    /// that was computed apart.</param>
    /// <param name="rowWeight">1 / the rows of the whole step.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
    /// <returns>rows · L, not weighted; and the rows that a classifier gets right, 0 for losses without one.</returns>
    public abstract LossResult Signal(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> networkInput, TensorView<T> output, TensorView<T> target,
        TensorView<T> signal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch,
        IForkJoin? fork = null);
}
