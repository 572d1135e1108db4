using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = tanh s; dy/ds = 1 − y².</summary>
internal sealed class TanhActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => ElementwiseLoop.Run<TanhOperation, T>(s, default, default, y);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementwiseLoop.Run<TanhGradientOperation, T>(signal, y, default, delta);

    /// <summary>delta = signal · (1 − y²); delta may be the signal.</summary>
    public static void Scale(ReadOnlySpan<T> y, ReadOnlySpan<T> signal, Span<T> delta)
        => Elementwise.TanhGradient<T>(signal, y, delta);
}
