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

    /// <summary>The same for any depth: target[p·width + i] = source[i·stride + p] for as many rows i as a vector has lanes. Every cache line of the source is read once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Panel<T>(T* source, nint stride, int depth, T* target, nint width)
        where T : unmanaged
    {
        nint p = 0;
        for (; p <= depth - Vector512<T>.Count; p += Vector512<T>.Count, target += Vector512<T>.Count * width)
        {
            if (typeof(T) == typeof(float))
            {
                Sixteen((float*)source + p, stride, (float*)target, width);
            }
            else
            {
                Step(source + p, stride, target, width);
            }
        }

        for (; p < depth; p++, target += width)
        {
            for (int i = 0; i < Vector512<T>.Count; i++)
            {
                target[i] = source[(i * stride) + p];
            }
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
    private static void Sixteen(float* source, nint stride, float* target, nint width)
    {
        Quarter(source, stride, out Vector512<float> w00, out Vector512<float> w01, out Vector512<float> w02, out Vector512<float> w03);
        Quarter(source + (4 * stride), stride, out Vector512<float> w10, out Vector512<float> w11, out Vector512<float> w12, out Vector512<float> w13);
        Quarter(source + (8 * stride), stride, out Vector512<float> w20, out Vector512<float> w21, out Vector512<float> w22, out Vector512<float> w23);
        Quarter(source + (12 * stride), stride, out Vector512<float> w30, out Vector512<float> w31, out Vector512<float> w32, out Vector512<float> w33);
        Store(w00, w10, w20, w30, target, 4 * width);
        Store(w01, w11, w21, w31, target + width, 4 * width);
        Store(w02, w12, w22, w32, target + (2 * width), 4 * width);
        Store(w03, w13, w23, w33, target + (3 * width), 4 * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3, float* target, nint step)
    {
        Lanes(v0, v1, v2, v3, out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3);
        t0.Store(target);
        t1.Store(target + step);
        t2.Store(target + (2 * step));
        t3.Store(target + (3 * step));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(float* source, nint stride, float* target, nint width)
    {
        Eight(source, stride, out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3,
            out Vector512<float> t4, out Vector512<float> t5, out Vector512<float> t6, out Vector512<float> t7);
        t0.Store(target);
        t1.Store(target + width);
        t2.Store(target + (2 * width));
        t3.Store(target + (3 * width));
        target += 4 * width;
        t4.Store(target);
        t5.Store(target + width);
        t6.Store(target + (2 * width));
        t7.Store(target + (3 * width));
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
        Four(source, stride, out Vector512<double> t0, out Vector512<double> t1, out Vector512<double> t2, out Vector512<double> t3);
        t0.Store(target);
        t1.Store(target + width);
        t2.Store(target + (2 * width));
        t3.Store(target + (3 * width));
    }

    /// <summary>Four columns of eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Four(
        double* source, nint stride, out Vector512<double> t0, out Vector512<double> t1, out Vector512<double> t2, out Vector512<double> t3)
    {
        double* below = source + (4 * stride);
        Vector512<double> r0 = Halves(source, source + (2 * stride)), r1 = Halves(source + stride, source + (3 * stride));
        Vector512<double> r2 = Halves(below, below + (2 * stride)), r3 = Halves(below + stride, below + (3 * stride));
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1), high01 = Avx512F.UnpackHigh(r0, r1);
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3), high23 = Avx512F.UnpackHigh(r2, r3);
        t0 = Avx512F.Shuffle4x128(low01, low23, EvenLanes);
        t1 = Avx512F.Shuffle4x128(high01, high23, EvenLanes);
        t2 = Avx512F.Shuffle4x128(low01, low23, OddLanes);
        t3 = Avx512F.Shuffle4x128(high01, high23, OddLanes);
    }

    /// <summary>Eight columns of sixteen rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Eight(
        float* a, nint stride, out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3,
        out Vector512<float> t4, out Vector512<float> t5, out Vector512<float> t6, out Vector512<float> t7)
    {
        // A vector holds eight k of a row below and of the fourth row after it above; squares of 4×4 are transposed in each of its 128-bit lanes.
        Square(a, stride, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
        Square(a + (8 * stride), stride, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
        t0 = Avx512F.Shuffle4x128(a0, b0, EvenLanes);
        t1 = Avx512F.Shuffle4x128(a1, b1, EvenLanes);
        t2 = Avx512F.Shuffle4x128(a2, b2, EvenLanes);
        t3 = Avx512F.Shuffle4x128(a3, b3, EvenLanes);
        t4 = Avx512F.Shuffle4x128(a0, b0, OddLanes);
        t5 = Avx512F.Shuffle4x128(a1, b1, OddLanes);
        t6 = Avx512F.Shuffle4x128(a2, b2, OddLanes);
        t7 = Avx512F.Shuffle4x128(a3, b3, OddLanes);
    }

    /// <summary>Four rows of sixteen values: lane l of w[c] holds column 4·l + c.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Quarter(float* a, nint stride, out Vector512<float> w0, out Vector512<float> w1, out Vector512<float> w2, out Vector512<float> w3)
    {
        Vector512<float> r0 = Vector512.Load(a), r1 = Vector512.Load(a + stride), r2 = Vector512.Load(a + (2 * stride)), r3 = Vector512.Load(a + (3 * stride));
        Vector512<double> low01 = Avx512F.UnpackLow(r0, r1).AsDouble(), high01 = Avx512F.UnpackHigh(r0, r1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(r2, r3).AsDouble(), high23 = Avx512F.UnpackHigh(r2, r3).AsDouble();
        w0 = Avx512F.UnpackLow(low01, low23).AsSingle();
        w1 = Avx512F.UnpackHigh(low01, low23).AsSingle();
        w2 = Avx512F.UnpackLow(high01, high23).AsSingle();
        w3 = Avx512F.UnpackHigh(high01, high23).AsSingle();
    }

    /// <summary>Lane l of four vectors side by side in t[l].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Lanes(
        Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3,
        out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3)
    {
        Vector512<float> even0 = Avx512F.Shuffle4x128(v0, v1, EvenLanes), odd0 = Avx512F.Shuffle4x128(v0, v1, OddLanes);
        Vector512<float> even1 = Avx512F.Shuffle4x128(v2, v3, EvenLanes), odd1 = Avx512F.Shuffle4x128(v2, v3, OddLanes);
        t0 = Avx512F.Shuffle4x128(even0, even1, EvenLanes);
        t1 = Avx512F.Shuffle4x128(odd0, odd1, EvenLanes);
        t2 = Avx512F.Shuffle4x128(even0, even1, OddLanes);
        t3 = Avx512F.Shuffle4x128(odd0, odd1, OddLanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Halves<T>(T* low, T* high)
        where T : unmanaged => Vector256.Load(low).ToVector512Unsafe().WithUpper(Vector256.Load(high));
}
