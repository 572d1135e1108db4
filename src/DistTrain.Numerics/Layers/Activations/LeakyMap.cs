using System.Numerics;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>
/// (a, b) ↦ b where a &gt; 0, slope·b otherwise: leaky ReLU with a = b = s, and its derivative with a = s, b = signal.
/// </summary>
internal readonly struct LeakyMap<T>(T slope) : IElementMap<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector<T> _slopes = Vector<T>.IsSupported ? Vector.Create(slope) : default;

    public T Map(T a, T b) => a > T.Zero ? b : slope * b;

    public Vector<T> Map(Vector<T> a, Vector<T> b)
        => Vector.ConditionalSelect(Vector.GreaterThan(a, Vector<T>.Zero), b, _slopes * b);
}
