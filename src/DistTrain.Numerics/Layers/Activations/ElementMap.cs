using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>
/// A function of two values in two forms that must be the same arithmetic, operation by operation: a multiplication and an
/// addition stay apart in both, so a value's bits do not depend on whether it falls into a vector or into the tail.
/// </summary>
internal interface IElementMap<T>
    where T : unmanaged
{
    /// <summary>One element.</summary>
    T Map(T a, T b);

    /// <summary>A vector of elements.</summary>
    Vector<T> Map(Vector<T> a, Vector<T> b);
}

/// <summary>Applies an <see cref="IElementMap{T}"/> to spans.</summary>
internal static class ElementMap
{
    /// <summary>result[i] = map(a[i], b[i]); the result may be one of the arguments.</summary>
    public static void Apply<T, TMap>(TMap map, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TMap : struct, IElementMap<T>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(result.Length, a.Length);
        Run(map, a, b, result);
    }

    // A method of its own, for what calls it is inlined until the compiler's budget is spent, and then each vector would be a call.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run<T, TMap>(TMap map, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TMap : struct, IElementMap<T>
    {
        int i = 0;
        if (Vector.IsHardwareAccelerated && Vector<T>.IsSupported)
        {
            ref T ra = ref MemoryMarshal.GetReference(a), rb = ref MemoryMarshal.GetReference(b);
            ref T rr = ref MemoryMarshal.GetReference(result);
            for (; i <= a.Length - Vector<T>.Count; i += Vector<T>.Count)
            {
                map.Map(Vector.LoadUnsafe(ref ra, (nuint)i), Vector.LoadUnsafe(ref rb, (nuint)i)).StoreUnsafe(ref rr, (nuint)i);
            }
        }

        for (; i < a.Length; i++)
        {
            result[i] = map.Map(a[i], b[i]);
        }
    }
}
