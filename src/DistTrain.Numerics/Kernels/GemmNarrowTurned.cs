using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// The sums of <see cref="GemmNarrow{T}"/> where what is transposed of a fits the registers beside them: it is used from there and never stored. With a single vector of rows
/// loads are what there is too much of; with two of doubles, shuffles.
/// </summary>
/// <remarks>What is handed to <c>Add</c> is a local or a constant, because the JIT stops inlining in a method with 512 locals, temporaries for arguments among them.</remarks>
internal static unsafe class GemmNarrowTurned
{
    private const int FloatStep = 16, DoubleStep = 4;

    /// <summary>sum[j·16 + i] = Σ a[i, p]·b[j, p] in the order of p, for 16 rows i.</summary>
    /// <param name="a">16 rows.</param>
    /// <param name="strideA">From one to the next.</param>
    /// <param name="b">A row for each column of c.</param>
    /// <param name="strideB">From one to the next.</param>
    /// <param name="depth">Values of p.</param>
    /// <param name="work">Room for 16 × 16 values.</param>
    /// <param name="sum">Room for 10 × 16 values.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sixteen<TColumns>(float* a, nint strideA, float* b, nint strideB, int depth, float* work, float* sum)
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % FloatStep;
        GemmTranspose.Rest(a + depth - rest, strideA, 16, rest, work);

        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        float* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB), end = b + depth - rest;
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<float> zero = Vector512<float>.Zero;
        Vector512<float> c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        for (; q0 < end; a += FloatStep)
        {
            GemmTranspose.Quarter(a, strideA, out Vector512<float> w00, out Vector512<float> w01, out Vector512<float> w02, out Vector512<float> w03);
            GemmTranspose.Quarter(a + (4 * strideA), strideA, out Vector512<float> w10, out Vector512<float> w11, out Vector512<float> w12, out Vector512<float> w13);
            GemmTranspose.Quarter(a + (8 * strideA), strideA, out Vector512<float> w20, out Vector512<float> w21, out Vector512<float> w22, out Vector512<float> w23);
            GemmTranspose.Quarter(a + (12 * strideA), strideA, out Vector512<float> w30, out Vector512<float> w31, out Vector512<float> w32, out Vector512<float> w33);
            GemmTranspose.Lanes(w00, w10, w20, w30, out Vector512<float> t0, out Vector512<float> t4, out Vector512<float> t8, out Vector512<float> t12);
            GemmTranspose.Lanes(w01, w11, w21, w31, out Vector512<float> t1, out Vector512<float> t5, out Vector512<float> t9, out Vector512<float> t13);
            GemmTranspose.Lanes(w02, w12, w22, w32, out Vector512<float> t2, out Vector512<float> t6, out Vector512<float> t10, out Vector512<float> t14);
            GemmTranspose.Lanes(w03, w13, w23, w33, out Vector512<float> t3, out Vector512<float> t7, out Vector512<float> t11, out Vector512<float> t15);
            Add<TColumns>(t0, 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t1, 1, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t2, 2, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t3, 3, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t4, 4, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t5, 5, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t6, 6, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t7, 7, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t8, 8, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t9, 9, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t10, 10, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t11, 11, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t12, 12, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t13, 13, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t14, 14, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t15, 15, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0 += FloatStep;
            q1 += FloatStep;
            q2 += FloatStep;
            q3 += FloatStep;
        }

        for (; rest > 0; rest--)
        {
            Add<TColumns>(Vector512.Load(work), 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0++;
            q1++;
            q2++;
            q3++;
            work += 16;
        }

        c0.Store(sum);
        c1.Store(sum + 16);
        c2.Store(sum + 32);
        c3.Store(sum + 48);
        c4.Store(sum + 64);
        c5.Store(sum + 80);
        c6.Store(sum + 96);
        c7.Store(sum + 112);
        c8.Store(sum + 128);
        c9.Store(sum + 144);
    }

    /// <summary>sum[j·16 + i] = Σ a[i, p]·b[j, p] in the order of p, for 16 rows i; parameters as of <see cref="Sixteen"/>.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Four<TColumns>(double* a, nint strideA, double* b, nint strideB, int depth, double* work, double* sum)
        where TColumns : ICount
    {
        int rest = depth % DoubleStep;
        GemmTranspose.Rest(a + depth - rest, strideA, 16, rest, work);
        double* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB), end = b + depth - rest;
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<double> zero = Vector512<double>.Zero;
        Vector512<double> c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        Vector512<double> d0 = zero, d1 = zero, d2 = zero, d3 = zero, d4 = zero, d5 = zero, d6 = zero, d7 = zero, d8 = zero, d9 = zero;
        for (; q0 < end; a += DoubleStep)
        {
            GemmTranspose.Four(a, strideA, out Vector512<double> t0, out Vector512<double> t1, out Vector512<double> t2, out Vector512<double> t3);
            GemmTranspose.Four(a + (8 * strideA), strideA, out Vector512<double> u0, out Vector512<double> u1, out Vector512<double> u2, out Vector512<double> u3);
            Add<TColumns>(t0, u0, 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9,
                ref d0, ref d1, ref d2, ref d3, ref d4, ref d5, ref d6, ref d7, ref d8, ref d9);
            Add<TColumns>(t1, u1, 1, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9,
                ref d0, ref d1, ref d2, ref d3, ref d4, ref d5, ref d6, ref d7, ref d8, ref d9);
            Add<TColumns>(t2, u2, 2, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9,
                ref d0, ref d1, ref d2, ref d3, ref d4, ref d5, ref d6, ref d7, ref d8, ref d9);
            Add<TColumns>(t3, u3, 3, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9,
                ref d0, ref d1, ref d2, ref d3, ref d4, ref d5, ref d6, ref d7, ref d8, ref d9);
            q0 += DoubleStep;
            q1 += DoubleStep;
            q2 += DoubleStep;
            q3 += DoubleStep;
        }

        for (; rest > 0; rest--)
        {
            Add<TColumns>(Vector512.Load(work), Vector512.Load(work + 8), 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9,
                ref d0, ref d1, ref d2, ref d3, ref d4, ref d5, ref d6, ref d7, ref d8, ref d9);
            q0++;
            q1++;
            q2++;
            q3++;
            work += 16;
        }

        c0.Store(sum);
        d0.Store(sum + 8);
        c1.Store(sum + 16);
        d1.Store(sum + 24);
        c2.Store(sum + 32);
        d2.Store(sum + 40);
        c3.Store(sum + 48);
        d3.Store(sum + 56);
        c4.Store(sum + 64);
        d4.Store(sum + 72);
        c5.Store(sum + 80);
        d5.Store(sum + 88);
        c6.Store(sum + 96);
        d6.Store(sum + 104);
        c7.Store(sum + 112);
        d7.Store(sum + 120);
        c8.Store(sum + 128);
        d8.Store(sum + 136);
        c9.Store(sum + 144);
        d9.Store(sum + 152);
    }

    /// <summary>A vector of a times the value of p in each row of b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<TColumns>(
        Vector512<float> a, nint p, float* q0, float* q1, float* q2, float* q3, nint s1, nint s2,
        ref Vector512<float> c0, ref Vector512<float> c1, ref Vector512<float> c2, ref Vector512<float> c3, ref Vector512<float> c4,
        ref Vector512<float> c5, ref Vector512<float> c6, ref Vector512<float> c7, ref Vector512<float> c8, ref Vector512<float> c9)
        where TColumns : ICount
    {
        c0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q0 + p)), a, c0);
        if (TColumns.Count > 1)
        {
            c1 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q0 + s1 + p)), a, c1);
        }

        if (TColumns.Count > 2)
        {
            c2 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q0 + s2 + p)), a, c2);
        }

        if (TColumns.Count > 3)
        {
            c3 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q1 + p)), a, c3);
        }

        if (TColumns.Count > 4)
        {
            c4 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q1 + s1 + p)), a, c4);
        }

        if (TColumns.Count > 5)
        {
            c5 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q1 + s2 + p)), a, c5);
        }

        if (TColumns.Count > 6)
        {
            c6 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q2 + p)), a, c6);
        }

        if (TColumns.Count > 7)
        {
            c7 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q2 + s1 + p)), a, c7);
        }

        if (TColumns.Count > 8)
        {
            c8 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q2 + s2 + p)), a, c8);
        }

        if (TColumns.Count > 9)
        {
            c9 = Avx512F.FusedMultiplyAdd(Vector512.Create(*(q3 + p)), a, c9);
        }
    }

    /// <summary>The same for two vectors of a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TColumns>(
        Vector512<double> a0, Vector512<double> a1, nint p, double* q0, double* q1, double* q2, double* q3, nint s1, nint s2,
        ref Vector512<double> c0, ref Vector512<double> c1, ref Vector512<double> c2, ref Vector512<double> c3, ref Vector512<double> c4,
        ref Vector512<double> c5, ref Vector512<double> c6, ref Vector512<double> c7, ref Vector512<double> c8, ref Vector512<double> c9,
        ref Vector512<double> d0, ref Vector512<double> d1, ref Vector512<double> d2, ref Vector512<double> d3, ref Vector512<double> d4,
        ref Vector512<double> d5, ref Vector512<double> d6, ref Vector512<double> d7, ref Vector512<double> d8, ref Vector512<double> d9)
        where TColumns : ICount
    {
        Add(q0 + p, a0, a1, ref c0, ref d0);
        if (TColumns.Count > 1)
        {
            Add(q0 + s1 + p, a0, a1, ref c1, ref d1);
        }

        if (TColumns.Count > 2)
        {
            Add(q0 + s2 + p, a0, a1, ref c2, ref d2);
        }

        if (TColumns.Count > 3)
        {
            Add(q1 + p, a0, a1, ref c3, ref d3);
        }

        if (TColumns.Count > 4)
        {
            Add(q1 + s1 + p, a0, a1, ref c4, ref d4);
        }

        if (TColumns.Count > 5)
        {
            Add(q1 + s2 + p, a0, a1, ref c5, ref d5);
        }

        if (TColumns.Count > 6)
        {
            Add(q2 + p, a0, a1, ref c6, ref d6);
        }

        if (TColumns.Count > 7)
        {
            Add(q2 + s1 + p, a0, a1, ref c7, ref d7);
        }

        if (TColumns.Count > 8)
        {
            Add(q2 + s2 + p, a0, a1, ref c8, ref d8);
        }

        if (TColumns.Count > 9)
        {
            Add(q3 + p, a0, a1, ref c9, ref d9);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(double* b, Vector512<double> a0, Vector512<double> a1, ref Vector512<double> c, ref Vector512<double> d)
    {
        Vector512<double> value = Vector512.Create(*b);
        c = Avx512F.FusedMultiplyAdd(value, a0, c);
        d = Avx512F.FusedMultiplyAdd(value, a1, d);
    }
}
