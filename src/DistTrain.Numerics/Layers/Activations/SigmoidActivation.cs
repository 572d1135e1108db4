using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = 1 / (1 + exp(−s)); dy/ds = y (1 − y).</summary>
internal sealed class SigmoidActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => Elementwise.Sigmoid<T>(s.Span, y.Span);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementMap.Apply(default(Gradient), y.Span, signal.Span, delta.Span);

    private readonly struct Gradient : IElementMap<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Map(T a, T b) => b * (a * (T.One - a));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<T> Map(Vector<T> a, Vector<T> b)
            => b * (a * (Vector<T>.One - a));
    }
}
