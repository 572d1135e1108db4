using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = 1 / (1 + exp(−s)); dy/ds = y (1 − y).</summary>
internal sealed class SigmoidActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => ElementwiseLoop.Run<SigmoidOperation, T>(s, default, default, y);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementwiseLoop.Run<SigmoidGradientOperation, T>(signal, y, default, delta);
}
