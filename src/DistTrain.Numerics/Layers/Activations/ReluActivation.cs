using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>
/// y = max(0, s), NaN kept; the derivative at 0 is 0. The sign of y is the sign of s, so y is enough for the way back.
/// </summary>
internal sealed class ReluActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => TensorPrimitives.Max(s.Span, T.Zero, y.Span);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementMap.Apply(default(Gradient), y.Span, signal.Span, delta.Span);

    private readonly struct Gradient : IElementMap<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Map(T a, T b) => a > T.Zero ? b : T.Zero;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<T> Map(Vector<T> a, Vector<T> b)
            => Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), b, Vector<T>.Zero);
    }
}
