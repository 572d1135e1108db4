using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = s for s &gt; 0, exp(s) − 1 otherwise; dy/ds = 1 or y + 1.</summary>
internal sealed class EluActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
    {
        long mark = scratch.Mark;
        Span<T> exp = scratch.Take<T>(1, s.Columns).Span;
        for (int row = 0; row < s.Rows; row++)
        {
            Elementwise.Exp<T>(s.Row(row), exp);
            ElementMap.Apply(default(Value), s.Row(row), exp, y.Row(row));
        }

        scratch.Release(mark);
    }

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementMap.Apply(default(Gradient), y.Span, signal.Span, delta.Span);

    private readonly struct Value : IElementMap<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Map(T a, T b) => a > T.Zero ? a : b - T.One;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<T> Map(Vector<T> a, Vector<T> b)
            => Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), a, b - Vector<T>.One);
    }

    private readonly struct Gradient : IElementMap<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T Map(T a, T b) => a > T.Zero ? b : b * (a + T.One);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector<T> Map(Vector<T> a, Vector<T> b)
            => Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), b, b * (a + Vector<T>.One));
    }
}
