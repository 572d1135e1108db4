using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>Squares of 4×4 floats, one in each half of four 256-bit vectors.</summary>
internal static unsafe class Squares
{
    /// <summary>Two rows' four values, one's below and the other's above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Halves<T>(T* low, T* high)
        where T : unmanaged => Vector128.Load(low).ToVector256Unsafe().WithUpper(Vector128.Load(high));

    /// <summary>Transposes both squares.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector256<float> v0, ref Vector256<float> v1, ref Vector256<float> v2, ref Vector256<float> v3)
    {
        Vector256<double> low01 = Avx.UnpackLow(v0, v1).AsDouble(), high01 = Avx.UnpackHigh(v0, v1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(v2, v3).AsDouble(), high23 = Avx.UnpackHigh(v2, v3).AsDouble();
        v0 = Avx.UnpackLow(low01, low23).AsSingle();
        v1 = Avx.UnpackHigh(low01, low23).AsSingle();
        v2 = Avx.UnpackLow(high01, high23).AsSingle();
        v3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }
}
