using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Methods;

namespace DistTrain.Engines.Shared.Learning;

/// <summary>A stage's backward pass along the path that its method names.</summary>
internal static class StageBackward
{
    /// <summary>Computes the gradients of the stage's layers and, where it is passed on, of its input.</summary>
    /// <param name="feedback">Fixed matrices, or nothing where the path needs none.</param>
    /// <param name="signal">From the loss or the stage behind; on a direct path the error of the network's output.</param>
    /// <param name="isLast">Whether the signal is the loss's own.</param>
    public static void Run<T>(
        StageProgram<T> program,
        BackwardPath path,
        ReadOnlySpan<TensorView<T>> weights,
        ReadOnlySpan<TensorView<T>> feedback,
        TensorView<T> input,
        TensorView<T> output,
        TensorView<T> stash,
        TensorView<T> signal,
        TensorView<T> inputSignal,
        ReadOnlySpan<TensorView<T>> gradients,
        bool accumulate,
        in PassContext context,
        ComputeScratch scratch,
        IForkJoin? fork,
        bool isLast)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (path)
        {
            case BackwardPath.Direct:
                program.BackwardDirect(
                    weights, feedback, signal, input, output, stash, isLast ? signal : default, gradients, accumulate, context, scratch, fork);
                break;
            case BackwardPath.FixedMatrices:
                program.BackwardWith(
                    weights, feedback, input, output, stash, signal, inputSignal, gradients, accumulate, context, scratch, fork);
                break;
            case BackwardPath.TransposedWeights:
                program.BackwardWith(
                    weights, weights, input, output, stash, signal, inputSignal, gradients, accumulate, context, scratch, fork);
                break;
            default:
                program.Backward(weights, input, output, stash, signal, inputSignal, gradients, accumulate, context, scratch, fork);
                break;
        }
    }
}
