using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>Puts tiles of a turned product, whose rows are columns of c, where they belong.</summary>
internal static unsafe class GemmTurnedStore
{
    /// <summary>
    /// c[j, i] = tile[i, j] for i below <paramref name="rows"/> and j below <paramref name="columns"/>, added to c when <paramref name="add"/>, then
    /// to bias[i]: the order of a product that was not turned. A tile has room for 8 rows.
    /// </summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store<T>(T* tile, nint stride, int rows, int columns, T* c, nint strideC, bool add, T* bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int whole = 0;
        T* padded = stackalloc T[8];
        if (Avx512F.VL.IsSupported && (rows == 8 || !add))
        {
            if (rows < 8 && bias != null)
            {
                // Vectors would read past its end.
                Unsafe.CopyBlockUnaligned(padded, bias, (uint)(rows * sizeof(T)));
                bias = padded;
            }

            whole = columns & ~(Vector512<T>.Count - 1);
            for (nint j = 0; j < whole; j += Vector512<T>.Count)
            {
                if (rows == 2 && typeof(T) == typeof(float))
                {
                    StorePairs((float*)tile + j, stride, (float*)c + (j * strideC), strideC, (float*)bias);
                }
                else if (rows == 2)
                {
                    StorePairs((double*)tile + j, stride, (double*)c + (j * strideC), strideC, (double*)bias);
                }
                else if (typeof(T) == typeof(float))
                {
                    StoreSixteen((float*)tile + j, stride, rows, (float*)c + (j * strideC), strideC, add, (float*)bias);
                }
                else
                {
                    StoreEight((double*)tile + j, stride, rows, (double*)c + (j * strideC), strideC, add, (double*)bias);
                }
            }
        }

        for (nint j = whole; j < columns; j++)
        {
            for (nint i = 0; i < rows; i++)
            {
                T* target = c + (j * strideC) + i;
                T sum = add ? *target + tile[(i * stride) + j] : tile[(i * stride) + j];
                *target = bias == null ? sum : sum + bias[i];
            }
        }
    }

    /// <summary>Sixteen columns of two rows, such as the last two of ten classes: a pair is one value to move.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(float* tile, nint stride, float* c, nint strideC, float* bias)
    {
        Vector512<float> t0 = Vector512.Load(tile), t1 = Vector512.Load(tile + stride);
        Vector512<float> low = Avx512F.UnpackLow(t0, t1), high = Avx512F.UnpackHigh(t0, t1);
        if (bias != null)
        {
            Vector512<float> biases = Vector512.Create(*(double*)bias).AsSingle();
            low += biases;
            high += biases;
        }

        Quads(low.AsDouble(), high.AsDouble(), 0, c, strideC);
        Quads(low.AsDouble(), high.AsDouble(), 1, c + (4 * strideC), strideC);
        Quads(low.AsDouble(), high.AsDouble(), 2, c + (8 * strideC), strideC);
        Quads(low.AsDouble(), high.AsDouble(), 3, c + (12 * strideC), strideC);
    }

    /// <summary>The four pairs of a lane of two vectors, a pair a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads(Vector512<double> low, Vector512<double> high, [ConstantExpected] byte lane, float* c, nint stride)
    {
        Vector128<double> two = Avx512F.ExtractVector128(low.AsInt32(), lane).AsDouble(), more = Avx512F.ExtractVector128(high.AsInt32(), lane).AsDouble();
        Sse2.StoreScalar((double*)c, two);
        Sse2.StoreHigh((double*)(c + stride), two);
        Sse2.StoreScalar((double*)(c + (2 * stride)), more);
        Sse2.StoreHigh((double*)(c + (3 * stride)), more);
    }

    /// <summary>Eight columns of two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(double* tile, nint stride, double* c, nint strideC, double* bias)
    {
        Vector512<double> t0 = Vector512.Load(tile), t1 = Vector512.Load(tile + stride);
        Vector512<double> low = Avx512F.UnpackLow(t0, t1), high = Avx512F.UnpackHigh(t0, t1);
        if (bias != null)
        {
            Vector512<double> biases = Vector512.Create(Vector256.Create(Vector128.Load(bias), Vector128.Load(bias)), Vector256.Create(Vector128.Load(bias), Vector128.Load(bias)));
            low += biases;
            high += biases;
        }

        Two(low, high, 0, c, strideC);
        Two(low, high, 1, c + (2 * strideC), strideC);
        Two(low, high, 2, c + (4 * strideC), strideC);
        Two(low, high, 3, c + (6 * strideC), strideC);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Two(Vector512<double> low, Vector512<double> high, [ConstantExpected] byte lane, double* c, nint stride)
    {
        Avx512F.ExtractVector128(low.AsInt32(), lane).AsDouble().Store(c);
        Avx512F.ExtractVector128(high.AsInt32(), lane).AsDouble().Store(c + stride);
    }

    /// <summary>Sixteen columns of up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreSixteen(float* tile, nint stride, int rows, float* c, nint strideC, bool add, float* bias)
    {
        Vector256<float> eight = bias == null ? default : Vector256.Load(bias);
        Vector512<float> biases = eight.ToVector512Unsafe().WithUpper(eight);
        Vector256<float> mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(rows)).AsSingle();

        // Every 128-bit lane holds four rows of a column of its own: first of the upper four rows of the tile, then of the lower four.
        Quarter(tile, stride, out Vector512<double> a0, out Vector512<double> a1, out Vector512<double> a2, out Vector512<double> a3);
        Quarter(tile + (4 * stride), stride, out Vector512<double> b0, out Vector512<double> b1, out Vector512<double> b2, out Vector512<double> b3);
        Pair(a0, b0, rows == 8, mask, c, 4 * strideC, add, bias != null, biases);
        Pair(a1, b1, rows == 8, mask, c + strideC, 4 * strideC, add, bias != null, biases);
        Pair(a2, b2, rows == 8, mask, c + (2 * strideC), 4 * strideC, add, bias != null, biases);
        Pair(a3, b3, rows == 8, mask, c + (3 * strideC), 4 * strideC, add, bias != null, biases);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        float* tile, nint stride, out Vector512<double> r0, out Vector512<double> r1, out Vector512<double> r2, out Vector512<double> r3)
    {
        Vector512<float> t0 = Vector512.Load(tile), t1 = Vector512.Load(tile + stride);
        Vector512<float> t2 = Vector512.Load(tile + (2 * stride)), t3 = Vector512.Load(tile + (3 * stride));
        Vector512<double> low01 = Avx512F.UnpackLow(t0, t1).AsDouble(), high01 = Avx512F.UnpackHigh(t0, t1).AsDouble();
        Vector512<double> low23 = Avx512F.UnpackLow(t2, t3).AsDouble(), high23 = Avx512F.UnpackHigh(t2, t3).AsDouble();
        r0 = Avx512F.UnpackLow(low01, low23);
        r1 = Avx512F.UnpackHigh(low01, low23);
        r2 = Avx512F.UnpackLow(high01, high23);
        r3 = Avx512F.UnpackHigh(high01, high23);
    }

    /// <summary>Lane by lane of a and b side by side, a column a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(
        Vector512<double> a, Vector512<double> b, bool whole, Vector256<float> mask, float* c, nint stride, bool add, bool hasBias, Vector512<float> biases)
    {
        Vector512<float> low = Avx512F.PermuteVar8x64x2(a, Vector512.Create(0L, 1, 8, 9, 2, 3, 10, 11), b).AsSingle();
        Vector512<float> high = Avx512F.PermuteVar8x64x2(a, Vector512.Create(4L, 5, 12, 13, 6, 7, 14, 15), b).AsSingle();
        if (add)
        {
            low = Vector512.Create(Vector256.Load(c), Vector256.Load(c + stride)) + low;
            high = Vector512.Create(Vector256.Load(c + (2 * stride)), Vector256.Load(c + (3 * stride))) + high;
        }

        if (hasBias)
        {
            low += biases;
            high += biases;
        }

        if (whole)
        {
            low.GetLower().Store(c);
            low.GetUpper().Store(c + stride);
            high.GetLower().Store(c + (2 * stride));
            high.GetUpper().Store(c + (3 * stride));
        }
        else
        {
            Avx512F.VL.MaskStore(c, mask, low.GetLower());
            Avx512F.VL.MaskStore(c + stride, mask, low.GetUpper());
            Avx512F.VL.MaskStore(c + (2 * stride), mask, high.GetLower());
            Avx512F.VL.MaskStore(c + (3 * stride), mask, high.GetUpper());
        }
    }

    /// <summary>Eight columns of up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEight(double* tile, nint stride, int rows, double* c, nint strideC, bool add, double* bias)
    {
        Vector512<double> t0 = Vector512.Load(tile), t1 = Vector512.Load(tile + stride);
        Vector512<double> t2 = Vector512.Load(tile + (2 * stride)), t3 = Vector512.Load(tile + (3 * stride));
        Vector512<double> even01 = Avx512F.UnpackLow(t0, t1), odd01 = Avx512F.UnpackHigh(t0, t1);
        Vector512<double> even23 = Avx512F.UnpackLow(t2, t3), odd23 = Avx512F.UnpackHigh(t2, t3);
        tile += 4 * stride;
        t0 = Vector512.Load(tile);
        t1 = Vector512.Load(tile + stride);
        t2 = Vector512.Load(tile + (2 * stride));
        t3 = Vector512.Load(tile + (3 * stride));
        Vector512<double> even45 = Avx512F.UnpackLow(t0, t1), odd45 = Avx512F.UnpackHigh(t0, t1);
        Vector512<double> even67 = Avx512F.UnpackLow(t2, t3), odd67 = Avx512F.UnpackHigh(t2, t3);
        Vector512<double> mask = Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)rows)).AsDouble();
        Lanes(even01, even23, even45, even67, rows == 8, mask, c, 2 * strideC, add, bias);
        Lanes(odd01, odd23, odd45, odd67, rows == 8, mask, c + strideC, 2 * strideC, add, bias);
    }

    /// <summary>Lane by lane of four vectors side by side, a column a stride.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(
        Vector512<double> v0, Vector512<double> v1, Vector512<double> v2, Vector512<double> v3, bool whole, Vector512<double> mask, double* c, nint stride, bool add,
        double* bias)
    {
        // Lanes 0 and 2, then 1 and 3, of two vectors each; then the same again of those.
        Vector512<double> even0 = Avx512F.Shuffle4x128(v0, v1, 0b10_00_10_00), odd0 = Avx512F.Shuffle4x128(v0, v1, 0b11_01_11_01);
        Vector512<double> even1 = Avx512F.Shuffle4x128(v2, v3, 0b10_00_10_00), odd1 = Avx512F.Shuffle4x128(v2, v3, 0b11_01_11_01);
        Finish(Avx512F.Shuffle4x128(even0, even1, 0b10_00_10_00), whole, mask, c, add, bias);
        Finish(Avx512F.Shuffle4x128(odd0, odd1, 0b10_00_10_00), whole, mask, c + stride, add, bias);
        Finish(Avx512F.Shuffle4x128(even0, even1, 0b11_01_11_01), whole, mask, c + (2 * stride), add, bias);
        Finish(Avx512F.Shuffle4x128(odd0, odd1, 0b11_01_11_01), whole, mask, c + (3 * stride), add, bias);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector512<double> sum, bool whole, Vector512<double> mask, double* c, bool add, double* bias)
    {
        sum = add ? Vector512.Load(c) + sum : sum;
        sum = bias == null ? sum : sum + Vector512.Load(bias);
        if (whole)
        {
            sum.Store(c);
        }
        else
        {
            Avx512F.MaskStore(c, mask, sum);
        }
    }
}
