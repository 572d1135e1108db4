using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>What a layer's forward pass reads and writes; rows are samples.</summary>
internal readonly ref struct ForwardPass<T>
    where T : unmanaged
{
    /// <summary>All parameters of the stage.</summary>
    public ReadOnlySpan<TensorView<T>> Parameters { get; init; }

    /// <summary>Rows × the layer's input width.</summary>
    public TensorView<T> Input { get; init; }

    /// <summary>Rows × the layer's output width.</summary>
    public TensorView<T> Output { get; init; }

    /// <summary>What the layer keeps for its backward pass.</summary>
    public TensorView<T> Stash { get; init; }

    /// <summary>Seed, step and mode.</summary>
    public PassContext Context { get; init; }

    /// <summary>Working memory.</summary>
    public ComputeScratch Scratch { get; init; }

    /// <summary>Helpers for matrix products.</summary>
    public IForkJoin? Fork { get; init; }
}

/// <summary>What a layer's backward pass reads and writes besides the forward pass's tensors.</summary>
internal readonly ref struct BackwardPass<T>
    where T : unmanaged
{
    /// <summary>The tensors of the forward pass, unchanged since.</summary>
    public ForwardPass<T> Forward { get; init; }

    /// <summary>d(loss)/d(output), read-only; for a layer fused with the loss d(loss)/d(pre-activation).</summary>
    public TensorView<T> Signal { get; init; }

    /// <summary>Receives d(loss)/d(input), or none.</summary>
    public TensorView<T> InputSignal { get; init; }

    /// <summary>Tensors by the parameters' positions whose weights the signal passes through on its way to the input: the
    /// parameters themselves in backpropagation.</summary>
    public ReadOnlySpan<TensorView<T>> Feedback { get; init; }

    /// <summary>One gradient for each parameter of the stage.</summary>
    public ReadOnlySpan<TensorView<T>> Gradients { get; init; }

    /// <summary>Whether to add to the gradients instead of overwriting them.</summary>
    public bool Accumulate { get; init; }
}

/// <summary>
/// One layer's arithmetic: immutable, without state between calls, so that threads share it. A new kind of layer derives from
/// this, and <see cref="StageBuilder{T}"/> builds it from its specification.
/// </summary>
internal abstract class Layer<T>(int index, int inputWidth, int outputWidth)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Position in the whole network.</summary>
    public int Index { get; } = index;

    /// <summary>Columns of the input.</summary>
    public int InputWidth { get; } = inputWidth;

    /// <summary>Columns of the output.</summary>
    public int OutputWidth { get; } = outputWidth;

    /// <summary>Values a row that the layer keeps between forward and backward, besides its input and output.</summary>
    public virtual int StashWidth => 0;

    /// <summary>Writes output and stash; rows ≥ 1.</summary>
    public abstract void Forward(in ForwardPass<T> pass);

    /// <summary>Writes the gradients of the layer's parameters and, if asked, the input signal; rows ≥ 1.</summary>
    public abstract void Backward(in BackwardPass<T> pass);
}
