using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// The sums of <see cref="GemmNarrow{T}"/> for a single vector of rows. Rows are read by halves, two of them into a vector, which spares a quarter of the shuffles for floats and a third for doubles: where
/// those take the place of multiplications, they are what there is too much of.
/// </summary>
internal static unsafe class GemmNarrowOne
{
    private const int FloatRows = 16, FloatStep = 8, DoubleRows = 8, DoubleStep = 4;

    /// <summary>sum[j·16 + i] = Σ a[i, p]·b[j, p] in the order of p, for 16 rows i.</summary>
    /// <param name="a">16 rows.</param>
    /// <param name="strideA">From one to the next.</param>
    /// <param name="b">A row for each column of c.</param>
    /// <param name="strideB">From one to the next.</param>
    /// <param name="depth">Values of p.</param>
    /// <param name="work">Room for 8 × 16 values.</param>
    /// <param name="sum">Room for 10 × 16 values.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Floats<TColumns>(float* a, nint strideA, float* b, nint strideB, int depth, float* work, float* sum)
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % FloatStep;
        GemmTranspose.Rest(a + depth - rest, strideA, FloatRows, rest, work);

        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        float* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB), end = b + depth - rest;
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<float> zero = Vector512<float>.Zero;
        Vector512<float> c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        for (; q0 < end; a += FloatStep)
        {
            GemmTranspose.Eight(a, strideA, out Vector512<float> t0, out Vector512<float> t1, out Vector512<float> t2, out Vector512<float> t3,
                out Vector512<float> t4, out Vector512<float> t5, out Vector512<float> t6, out Vector512<float> t7);
            GemmNarrowTurned.Add<TColumns>(t0, 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t1, 1, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t2, 2, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t3, 3, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t4, 4, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t5, 5, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t6, 6, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            GemmNarrowTurned.Add<TColumns>(t7, 7, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0 += FloatStep;
            q1 += FloatStep;
            q2 += FloatStep;
            q3 += FloatStep;
        }

        for (; rest > 0; rest--)
        {
            GemmNarrowTurned.Add<TColumns>(Vector512.Load(work), 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0++;
            q1++;
            q2++;
            q3++;
            work += FloatRows;
        }

        c0.Store(sum);
        c1.Store(sum + FloatRows);
        c2.Store(sum + (2 * FloatRows));
        c3.Store(sum + (3 * FloatRows));
        c4.Store(sum + (4 * FloatRows));
        c5.Store(sum + (5 * FloatRows));
        c6.Store(sum + (6 * FloatRows));
        c7.Store(sum + (7 * FloatRows));
        c8.Store(sum + (8 * FloatRows));
        c9.Store(sum + (9 * FloatRows));
    }

    /// <summary>The same for 8 rows of doubles: sum[j·8 + i].</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Doubles<TColumns>(double* a, nint strideA, double* b, nint strideB, int depth, double* work, double* sum)
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % DoubleStep;
        GemmTranspose.Rest(a + depth - rest, strideA, DoubleRows, rest, work);

        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        double* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB), end = b + depth - rest;
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<double> zero = Vector512<double>.Zero;
        Vector512<double> c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        for (; q0 < end; a += DoubleStep)
        {
            GemmTranspose.Four(a, strideA, out Vector512<double> t0, out Vector512<double> t1, out Vector512<double> t2, out Vector512<double> t3);
            Add<TColumns>(t0, 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t1, 1, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t2, 2, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t3, 3, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0 += DoubleStep;
            q1 += DoubleStep;
            q2 += DoubleStep;
            q3 += DoubleStep;
        }

        for (; rest > 0; rest--)
        {
            Add<TColumns>(Vector512.Load(work), 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0++;
            q1++;
            q2++;
            q3++;
            work += DoubleRows;
        }

        c0.Store(sum);
        c1.Store(sum + DoubleRows);
        c2.Store(sum + (2 * DoubleRows));
        c3.Store(sum + (3 * DoubleRows));
        c4.Store(sum + (4 * DoubleRows));
        c5.Store(sum + (5 * DoubleRows));
        c6.Store(sum + (6 * DoubleRows));
        c7.Store(sum + (7 * DoubleRows));
        c8.Store(sum + (8 * DoubleRows));
        c9.Store(sum + (9 * DoubleRows));
    }

    /// <summary>A vector of a times the value of p in each row of b, for doubles; that for floats is in <see cref="GemmNarrowTurned"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TColumns>(
        Vector512<double> a, nint p, double* q0, double* q1, double* q2, double* q3, nint s1, nint s2,
        ref Vector512<double> c0, ref Vector512<double> c1, ref Vector512<double> c2, ref Vector512<double> c3, ref Vector512<double> c4,
        ref Vector512<double> c5, ref Vector512<double> c6, ref Vector512<double> c7, ref Vector512<double> c8, ref Vector512<double> c9)
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
}
