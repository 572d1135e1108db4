using System.Numerics;
using System.Runtime.CompilerServices;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>
/// (a, b) ↦ b where a &gt; 0, slope·b otherwise: leaky ReLU with a = b = s, and its derivative with a = s, b = signal.
/// </summary>
internal readonly struct LeakyMap<T>(T slope) : IElementMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector<T> _slopes = Vector<T>.IsSupported ? Vector.Create(slope) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Map(T a, T b) => a > T.Zero ? b : slope * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Map(Vector<T> a, Vector<T> b)
        => Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), b, _slopes * b);
}
