using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>Transposes 8 columns of as many rows as a 512-bit vector has lanes, in registers.</summary>
internal static unsafe class GemmTranspose
{
    private const byte EvenLanes = 0b10_00_10_00, OddLanes = 0b11_01_11_01;

    /// <summary>target[p·width + i] = source[i·stride + p] for p below 8 and i below the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<T>(T* source, nint stride, T* target, nint width)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            Eight((float*)source, stride, (float*)target, width);
        }
        else
        {
            Four((double*)source, stride, (double*)target, width);
            Four((double*)source + 4, stride, (double*)target + (4 * width), width);
        }
    }

    /// <summary>The same for fewer p and any number of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rest<T>(T* source, nint stride, int rows, int depth, T* target)
        where T : unmanaged
    {
        for (int i = 0; i < rows && depth > 0; i++)
        {
            for (int p = 0; p < depth; p++)
            {
                target[(p * rows) + i] = source[(i * stride) + p];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(float* source, nint stride, float* target, nint width)
    {
        // A vector holds eight k of a row below and of the fourth row after it above; squares of 4×4 are transposed in each of its 128-bit lanes.
        Square(source, stride, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        Square(source + (8 * stride), stride, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        Avx512F.Shuffle4x128(a0, b0, EvenLanes).Store(target);
        Avx512F.Shuffle4x128(a1, b1, EvenLanes).Store(target + width);
        Avx512F.Shuffle4x128(a2, b2, EvenLanes).Store(target + (2 * width));
        Avx512F.Shuffle4x128(a3, b3, EvenLanes).Store(target + (3 * width));
        target += 4 * width;
        Avx512F.Shuffle4x128(a0, b0, OddLanes).Store(target);
        Avx512F.Shuffle4x128(a1, b1, OddLanes).Store(target + width);
        Avx512F.Shuffle4x128(a2, b2, OddLanes).Store(target + (2 * width));
        Avx512F.Shuffle4x128(a3, b3, OddLanes).Store(target + (3 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(
        float* source, nint stride, out Vector512<float> v0, out Vector512<float> v1, out Vector512<float> v2, out Vector512<float> v3)
    {
        float* above = source + (4 * stride);
        Vector512<float> r0 = Halves(source, above), r1 = Halves(source + stride, above + stride);
        Vector512<float> r2 = Halves(source + (2 * stride), above + (2 * stride)), r3 = Halves(source + (3 * stride), above + (3 * stride));
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        v0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        v1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        v2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        v3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(double* source, nint stride, double* target, nint width)
    {
        double* below = source + (4 * stride);
        Vector512<double> r0 = Halves(source, source + (2 * stride)), r1 = Halves(source + stride, source + (3 * stride));
        Vector512<double> r2 = Halves(below, below + (2 * stride)), r3 = Halves(below + stride, below + (3 * stride));
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1), high01 = Avx512F.UnpackHigh(r0, r1);
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3), high23 = Avx512F.UnpackHigh(r2, r3);
        Avx512F.Shuffle4x128(low01, low23, EvenLanes).Store(target);
        Avx512F.Shuffle4x128(high01, high23, EvenLanes).Store(target + width);
        Avx512F.Shuffle4x128(low01, low23, OddLanes).Store(target + (2 * width));
        Avx512F.Shuffle4x128(high01, high23, OddLanes).Store(target + (3 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Halves<T>(T* low, T* high)
        where T : unmanaged => Vector256.Load(low).ToVector512Unsafe().WithUpper(Vector256.Load(high));
}
