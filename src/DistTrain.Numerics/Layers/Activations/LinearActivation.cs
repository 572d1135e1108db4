using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = s.</summary>
internal sealed class LinearActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override bool IsIdentity => true;

    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
    {
        // s and y are the same memory.
    }

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => signal.Span.CopyTo(delta.Span);
}
