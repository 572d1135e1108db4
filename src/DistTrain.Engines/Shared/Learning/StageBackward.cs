using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Methods;

namespace DistTrain.Engines.Shared.Learning;

/// <summary>A stage's backward pass along the path that its method names.</summary>
internal static class StageBackward
{
    /// <summary>Computes the gradients of the stage's layers and, where it is passed on, of its input.</summary>
    /// <param name="program">The stage.</param>
    /// <param name="path">How signals get from layer to layer.</param>
    /// <param name="pass">As the forward pass left it.</param>
    /// <param name="feedback">Fixed matrices, or nothing where the path needs none.</param>
    /// <param name="signals">From the loss or the stage behind; on a direct path the error of the network's output.</param>
    /// <param name="isLast">Whether the signal is the loss's own.</param>
    public static void Run<T>(
        StageProgram<T> program, BackwardPath path, in StagePass<T> pass, ReadOnlySpan<TensorView<T>> feedback, in StageSignals<T> signals, bool isLast)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (path)
        {
            case BackwardPath.Direct:
                StageSignals<T> own = new(isLast ? signals.Signal : default, default, signals.Gradients, signals.Accumulate);
                program.BackwardDirect(pass, feedback, signals.Signal, own);
                break;
            case BackwardPath.FixedMatrices:
                program.BackwardWith(pass, feedback, signals);
                break;
            default:
                program.Backward(pass, signals);
                break;
        }
    }
}
