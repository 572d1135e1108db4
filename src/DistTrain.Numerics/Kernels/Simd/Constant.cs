using System.Runtime.CompilerServices;

namespace DistTrain.Numerics.Kernels.Simd;

/// <summary>A constant that has one value in float and another in double; the JIT folds the choice away.</summary>
internal static class Constant
{
    /// <summary>The value for T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(float single, double twice)
        where T : unmanaged =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<float, T>(single) : Unsafe.BitCast<double, T>(twice);

    /// <summary>The value for T whose bits these are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Bits<T>(uint single, ulong twice)
        where T : unmanaged =>
        typeof(T) == typeof(float) ? Unsafe.BitCast<uint, T>(single) : Unsafe.BitCast<ulong, T>(twice);

    /// <summary>How many bits of T the fraction takes, without the hidden one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int FractionBits<T>()
        where T : unmanaged => typeof(T) == typeof(float) ? 23 : 52;
}
