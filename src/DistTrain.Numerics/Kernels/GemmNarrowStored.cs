using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>The sums of <see cref="GemmNarrow{T}"/> for two vectors of floats, beside whose sums the registers have no room for what is transposed.</summary>
internal static unsafe class GemmNarrowStored
{
    private const int Step = 8, Lanes = 16, Rows = 2 * Lanes;

    /// <summary>sum[j·32 + i] = Σ a[i, p]·b[j, p] in the order of p, for 32 rows i.</summary>
    /// <param name="a">32 rows.</param>
    /// <param name="strideA">From one to the next.</param>
    /// <param name="b">A row for each column of c.</param>
    /// <param name="strideB">From one to the next.</param>
    /// <param name="depth">Values of p.</param>
    /// <param name="work">Room for 24 × 32 values.</param>
    /// <param name="sum">Room for 10 × 32 values.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ThirtyTwo<TColumns>(float* a, nint strideA, float* b, nint strideB, int depth, float* work, float* sum)
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % Step;
        GemmTranspose.Rest(a + depth - rest, strideA, Rows, rest, work + (2 * Step * Rows));

        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        float* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB);
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<float> zero = Vector512<float>.Zero;
        Vector512<float> c00 = zero, c10 = zero, c20 = zero, c30 = zero, c40 = zero, c50 = zero, c60 = zero, c70 = zero, c80 = zero, c90 = zero;
        Vector512<float> c01 = zero, c11 = zero, c21 = zero, c31 = zero, c41 = zero, c51 = zero, c61 = zero, c71 = zero, c81 = zero, c91 = zero;

        // The next columns are transposed before the present ones are used, so that these are there when they are.
        nint whole = depth - rest, block = Step * Rows, turn = 0;
        if (whole > 0)
        {
            Transpose(a, strideA, work);
        }

        for (nint p = 0; p < depth; p += Step)
        {
            float* row = work + (p < whole ? turn : 2 * block);
            turn = block - turn;
            if (p + Step < whole)
            {
                Transpose(a + p + Step, strideA, work + turn);
            }

            for (nint left = p < whole ? Step : rest; left > 0; left--)
            {
                Vector512<float> a0 = Vector512.Load(row), a1 = Vector512.Load(row + Lanes);
                MultiplyAdd(q0, a0, a1, ref c00, ref c01);
                if (TColumns.Count > 1)
                {
                    MultiplyAdd(q0 + s1, a0, a1, ref c10, ref c11);
                }

                if (TColumns.Count > 2)
                {
                    MultiplyAdd(q0 + s2, a0, a1, ref c20, ref c21);
                }

                if (TColumns.Count > 3)
                {
                    MultiplyAdd(q1, a0, a1, ref c30, ref c31);
                }

                if (TColumns.Count > 4)
                {
                    MultiplyAdd(q1 + s1, a0, a1, ref c40, ref c41);
                }

                if (TColumns.Count > 5)
                {
                    MultiplyAdd(q1 + s2, a0, a1, ref c50, ref c51);
                }

                if (TColumns.Count > 6)
                {
                    MultiplyAdd(q2, a0, a1, ref c60, ref c61);
                }

                if (TColumns.Count > 7)
                {
                    MultiplyAdd(q2 + s1, a0, a1, ref c70, ref c71);
                }

                if (TColumns.Count > 8)
                {
                    MultiplyAdd(q2 + s2, a0, a1, ref c80, ref c81);
                }

                if (TColumns.Count > 9)
                {
                    MultiplyAdd(q3, a0, a1, ref c90, ref c91);
                }

                row += Rows;
                q0++;
                q1++;
                q2++;
                q3++;
            }
        }

        Store(c00, c01, sum);
        Store(c10, c11, sum + Rows);
        Store(c20, c21, sum + (2 * Rows));
        Store(c30, c31, sum + (3 * Rows));
        Store(c40, c41, sum + (4 * Rows));
        Store(c50, c51, sum + (5 * Rows));
        Store(c60, c61, sum + (6 * Rows));
        Store(c70, c71, sum + (7 * Rows));
        Store(c80, c81, sum + (8 * Rows));
        Store(c90, c91, sum + (9 * Rows));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(float* a, nint strideA, float* target)
    {
        GemmTranspose.Step(a, strideA, target, Rows);
        GemmTranspose.Step(a + (Lanes * strideA), strideA, target + Lanes, Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(float* b, Vector512<float> a0, Vector512<float> a1, ref Vector512<float> c0, ref Vector512<float> c1)
    {
        Vector512<float> value = Vector512.Create(*b);
        c0 = Avx512F.FusedMultiplyAdd(value, a0, c0);
        c1 = Avx512F.FusedMultiplyAdd(value, a1, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<float> c0, Vector512<float> c1, float* sum)
    {
        c0.Store(sum);
        c1.Store(sum + Lanes);
    }
}
