using System.Runtime.Intrinsics;

namespace DistTrain.Numerics.Kernels;

/// <summary>How many bits wide a kernel's vectors are. It changes speed and never a bit of a result.</summary>
internal enum VectorWidth
{
    /// <summary>The widest that the processor runs in hardware, where there is as much to fill it with.</summary>
    Best,

    /// <summary>One element at a time.</summary>
    Scalar,

    /// <summary>128 bits (SSE, NEON).</summary>
    Bits128,

    /// <summary>256 bits (AVX2).</summary>
    Bits256,

    /// <summary>512 bits (AVX-512).</summary>
    Bits512,
}

/// <summary>Chooses a vector width.</summary>
internal static class VectorWidths
{
    /// <summary><paramref name="width"/> itself, or the widest one in hardware for <see cref="VectorWidth.Best"/>.</summary>
    public static VectorWidth Resolve(VectorWidth width) => width switch
    {
        not VectorWidth.Best => width,
        _ when Vector512.IsHardwareAccelerated => VectorWidth.Bits512,
        _ when Vector256.IsHardwareAccelerated => VectorWidth.Bits256,
        _ when Vector128.IsHardwareAccelerated => VectorWidth.Bits128,
        _ => VectorWidth.Scalar,
    };

    /// <summary>As <see cref="Resolve(VectorWidth)"/>, but for <see cref="VectorWidth.Best"/> no wider than <paramref name="length"/> elements need: a vector that is
    /// filled in part goes through memory.</summary>
    public static VectorWidth Resolve<T>(VectorWidth width, int length) => width switch
    {
        VectorWidth.Best when length <= Vector128<T>.Count && Vector128.IsHardwareAccelerated => VectorWidth.Bits128,
        VectorWidth.Best when length <= Vector256<T>.Count && Vector256.IsHardwareAccelerated => VectorWidth.Bits256,
        _ => Resolve(width),
    };

    /// <summary>Throws unless T is float or double, the two types that kernels are written for.</summary>
    public static void RequireFloatOrDouble<T>()
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
        {
            throw new NotSupportedException($"Kernels take float and double, not {typeof(T).Name}.");
        }
    }
}
