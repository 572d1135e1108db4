using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>The sums of <see cref="GemmNarrow{T}"/> for a single vector of doubles: squares of 8×8 are transposed in registers and used from there.</summary>
internal static unsafe class GemmNarrowEight
{
    private const int Step = 8;

    /// <summary>sum[j·8 + i] = Σ a[i, p]·b[j, p] in the order of p, for 8 rows i.</summary>
    /// <param name="a">8 rows.</param>
    /// <param name="strideA">From one to the next.</param>
    /// <param name="b">A row for each column of c.</param>
    /// <param name="strideB">From one to the next.</param>
    /// <param name="depth">Values of p.</param>
    /// <param name="work">Room for 8 × 8 values.</param>
    /// <param name="sum">Room for 10 × 8 values.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Eight<TColumns>(double* a, nint strideA, double* b, nint strideB, int depth, double* work, double* sum)
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % Step;
        GemmTranspose.Rest(a + depth - rest, strideA, Step, rest, work);

        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        double* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB), end = b + depth - rest;
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<double> zero = Vector512<double>.Zero;
        Vector512<double> c0 = zero, c1 = zero, c2 = zero, c3 = zero, c4 = zero, c5 = zero, c6 = zero, c7 = zero, c8 = zero, c9 = zero;
        for (; q0 < end; a += Step)
        {
            GemmTranspose.Eight(a, strideA, out Vector512<double> t0, out Vector512<double> t1, out Vector512<double> t2, out Vector512<double> t3,
                out Vector512<double> t4, out Vector512<double> t5, out Vector512<double> t6, out Vector512<double> t7);
            Add<TColumns>(t0, 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t1, 1, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t2, 2, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t3, 3, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t4, 4, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t5, 5, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t6, 6, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            Add<TColumns>(t7, 7, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0 += Step;
            q1 += Step;
            q2 += Step;
            q3 += Step;
        }

        for (; rest > 0; rest--)
        {
            Add<TColumns>(Vector512.Load(work), 0, q0, q1, q2, q3, s1, s2, ref c0, ref c1, ref c2, ref c3, ref c4, ref c5, ref c6, ref c7, ref c8, ref c9);
            q0++;
            q1++;
            q2++;
            q3++;
            work += Step;
        }

        c0.Store(sum + 0);
        c1.Store(sum + 8);
        c2.Store(sum + 16);
        c3.Store(sum + 24);
        c4.Store(sum + 32);
        c5.Store(sum + 40);
        c6.Store(sum + 48);
        c7.Store(sum + 56);
        c8.Store(sum + 64);
        c9.Store(sum + 72);
    }

    /// <summary>A vector of a times the value of p in each row of b.</summary>
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
