using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>
/// y = max(0, s), NaN kept; the derivative at 0 is 0. The sign of y is the sign of s, so y is enough for the way back.
/// </summary>
internal sealed class ReluActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => ElementwiseLoop.Run<ReluOperation, T>(s, default, default, y);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementwiseLoop.Run<ReluGradientOperation, T>(signal, y, default, delta);
}
