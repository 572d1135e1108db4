using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>What a stage's backward pass takes besides the forward pass's tensors, and what it writes; handed on by reference as <see cref="StagePass{T}"/> is.</summary>
/// <param name="signal">Rows × <see cref="StageProgram{T}.OutputWidth"/>: from <see cref="StageProgram{T}.Loss"/> or the stage behind. Never written.</param>
/// <param name="inputSignal">Receives d(loss)/d(input), rows × <see cref="StageProgram{T}.InputWidth"/>; none if not needed, which saves a product.</param>
/// <param name="gradients">One for each parameter.</param>
/// <param name="accumulate">Whether to add to the gradients instead of overwriting them.</param>
public readonly ref struct StageSignals<T>(TensorView<T> signal, TensorView<T> inputSignal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate)
    where T : unmanaged
{
    /// <summary>d(loss)/d(output), or d(loss)/d(pre-activation) where the last layer is fused with the loss.</summary>
    public TensorView<T> Signal { get; } = signal;

    /// <summary>Receives d(loss)/d(input), or none.</summary>
    public TensorView<T> InputSignal { get; } = inputSignal;

    /// <summary>Receives the parameters' gradients.</summary>
    public ReadOnlySpan<TensorView<T>> Gradients { get; } = gradients;

    /// <summary>Whether to add to them.</summary>
    public bool Accumulate { get; } = accumulate;
}
