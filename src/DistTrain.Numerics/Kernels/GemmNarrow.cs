using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// c = a·bᵀ for a handful of columns, such as the classes of a last layer, in 512-bit vectors whose lanes are rows of a: few columns would leave most lanes of a row
/// of c empty. A few k of a are transposed in registers just before they are used, which takes no time of its own, because transposing and multiplying are
/// the work of different units.
/// </summary>
internal static unsafe class GemmNarrow<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The columns that fit the registers beside what is being transposed.</summary>
    public const int ColumnsMax = 10;

    private const int Step = 8;

    private static int Lanes => Vector512<T>.Count;

    /// <summary>Whether the product is of that kind. Blocks over k are added to each other before c, which is another order than to c one by one.</summary>
    public static bool Serves(in GemmProblem<T> problem) =>
        problem.TransposeB && !problem.TransposeA && problem.N <= ColumnsMax && problem.M >= Vector512<T>.Count
        && (!problem.Accumulate || problem.K <= GemmReference.BlockK) && problem.Diagonal == GemmProblem<T>.WholeProduct && Avx512F.IsSupported;

    /// <summary>Runs a product that <see cref="Serves"/>.</summary>
    public static void Run(in GemmProblem<T> problem)
    {
        switch (problem.N)
        {
            case 1:
                Run<One>(problem);
                break;
            case 2:
                Run<Two>(problem);
                break;
            case 3:
                Run<Three>(problem);
                break;
            case 4:
                Run<Four>(problem);
                break;
            case 5:
                Run<Five>(problem);
                break;
            case 6:
                Run<Six>(problem);
                break;
            case 7:
                Run<Seven>(problem);
                break;
            case 8:
                Run<Eight>(problem);
                break;
            case 9:
                Run<Nine>(problem);
                break;
            default:
                Run<Ten>(problem);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(in GemmProblem<T> problem)
        where TColumns : ICount
    {
        int m = problem.M;
        for (int i = 0; i < m;)
        {
            // What is left at the end is computed together with rows before it, whose results come out the same once more.
            bool two = m >= 2 * Lanes && m - i > Lanes;
            int rows = two ? 2 * Lanes : Lanes, first = Math.Min(i, m - rows);
            if (two)
            {
                RunRows<Two, TColumns>(problem, first, i);
            }
            else
            {
                RunRows<One, TColumns>(problem, first, i);
            }

            i = first + rows;
        }
    }

    /// <summary>The rows of a from <paramref name="first"/> on that fill the vectors; those from <paramref name="written"/> on reach c.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRows<TVectors, TColumns>(in GemmProblem<T> problem, int first, int written)
        where TVectors : ICount
        where TColumns : ICount
    {
        int rows = TVectors.Count * Lanes;
        byte* memory = stackalloc byte[(2 * ColumnsMax * TVectors.Count * 64) + (3 * Step * TVectors.Count * 64) + 64];
        T* total = (T*)(((nint)memory + 63) & -64), sum = total + (ColumnsMax * rows), work = sum + (ColumnsMax * rows);
        T* a = problem.A + (first * problem.StrideA);
        for (int p = 0; p < problem.K; p += GemmReference.BlockK)
        {
            int depth = Math.Min(GemmReference.BlockK, problem.K - p);
            T* target = p == 0 ? total : sum;
            if (typeof(T) == typeof(float) && TVectors.Count == 1)
            {
                GemmNarrowTurned.Sixteen<TColumns>((float*)a + p, problem.StrideA, (float*)problem.B + p, problem.StrideB, depth, (float*)work, (float*)target);
            }
            else if (typeof(T) == typeof(double) && TVectors.Count == 2)
            {
                GemmNarrowTurned.Four<TColumns>((double*)a + p, problem.StrideA, (double*)problem.B + p, problem.StrideB, depth, (double*)work, (double*)target);
            }
            else
            {
                Block<TVectors, TColumns>(a + p, problem.StrideA, problem.B + p, problem.StrideB, depth, work, target);
            }

            for (int i = 0; p > 0 && i < ColumnsMax * rows; i += Lanes)
            {
                (Vector512.Load(total + i) + Vector512.Load(sum + i)).Store(total + i);
            }
        }

        int skipped = written - first;
        T* c = problem.C + (written * problem.StrideC);
        int group = problem.N >= 8 ? 8 : 0;
        if (group > 0)
        {
            GemmTurnedStore.Store(total + skipped, rows, 8, rows - skipped, c, problem.StrideC, problem.Accumulate, problem.Bias);
        }

        GemmTurnedStore.Store(
            total + (group * rows) + skipped, rows, problem.N - group, rows - skipped, c + group, problem.StrideC, problem.Accumulate,
            problem.Bias == null ? null : problem.Bias + group);
    }

    /// <summary>sum[j, i] = Σ a[i, p]·b[j, p] in the order of p, for all lanes i and <see cref="ColumnsMax"/> j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block<TVectors, TColumns>(T* a, nint strideA, T* b, nint strideB, int depth, T* work, T* sum)
        where TVectors : ICount
        where TColumns : ICount
    {
        // Outside of the loop: a call there would move all sums to memory and back.
        int rest = depth % Step;
        GemmTranspose.Rest(a + depth - rest, strideA, TVectors.Count * Lanes, rest, work + (2 * Step * TVectors.Count * Lanes));
        // Few pointers, so that all of them stay in registers; each serves three rows of b.
        T* q0 = b, q1 = b + (3 * strideB), q2 = q1 + (3 * strideB), q3 = q2 + (3 * strideB);
        nint s1 = strideB, s2 = 2 * strideB;
        Vector512<T> zero = Vector512<T>.Zero;
        Vector512<T> c00 = zero, c10 = zero, c20 = zero, c30 = zero, c40 = zero, c50 = zero, c60 = zero, c70 = zero, c80 = zero, c90 = zero;
        Vector512<T> c01 = zero, c11 = zero, c21 = zero, c31 = zero, c41 = zero, c51 = zero, c61 = zero, c71 = zero, c81 = zero, c91 = zero;

        // The next columns are transposed before the present ones are used, so that these are there when they are.
        nint whole = depth - rest, block = Step * TVectors.Count * Lanes, turn = 0;
        if (whole > 0)
        {
            Transpose<TVectors>(a, strideA, work);
        }

        for (nint p = 0; p < depth; p += Step)
        {
            T* row = work + (p < whole ? turn : 2 * block);
            turn = block - turn;
            if (p + Step < whole)
            {
                Transpose<TVectors>(a + p + Step, strideA, work + turn);
            }

            for (nint left = p < whole ? Step : rest; left > 0; left--)
            {
                Vector512<T> a0 = Vector512.Load(row), a1 = TVectors.Count == 2 ? Vector512.Load(row + Lanes) : zero;
                MultiplyAdd<TVectors>(q0, a0, a1, ref c00, ref c01);
                if (TColumns.Count > 1)
                {
                    MultiplyAdd<TVectors>(q0 + s1, a0, a1, ref c10, ref c11);
                }

                if (TColumns.Count > 2)
                {
                    MultiplyAdd<TVectors>(q0 + s2, a0, a1, ref c20, ref c21);
                }

                if (TColumns.Count > 3)
                {
                    MultiplyAdd<TVectors>(q1, a0, a1, ref c30, ref c31);
                }

                if (TColumns.Count > 4)
                {
                    MultiplyAdd<TVectors>(q1 + s1, a0, a1, ref c40, ref c41);
                }

                if (TColumns.Count > 5)
                {
                    MultiplyAdd<TVectors>(q1 + s2, a0, a1, ref c50, ref c51);
                }

                if (TColumns.Count > 6)
                {
                    MultiplyAdd<TVectors>(q2, a0, a1, ref c60, ref c61);
                }

                if (TColumns.Count > 7)
                {
                    MultiplyAdd<TVectors>(q2 + s1, a0, a1, ref c70, ref c71);
                }

                if (TColumns.Count > 8)
                {
                    MultiplyAdd<TVectors>(q2 + s2, a0, a1, ref c80, ref c81);
                }

                if (TColumns.Count > 9)
                {
                    MultiplyAdd<TVectors>(q3, a0, a1, ref c90, ref c91);
                }

                row += TVectors.Count * Lanes;
                q0++;
                q1++;
                q2++;
                q3++;
            }
        }

        nint step = TVectors.Count * Lanes;
        Store<TVectors>(c00, c01, sum);
        Store<TVectors>(c10, c11, sum + step);
        Store<TVectors>(c20, c21, sum + (2 * step));
        Store<TVectors>(c30, c31, sum + (3 * step));
        Store<TVectors>(c40, c41, sum + (4 * step));
        Store<TVectors>(c50, c51, sum + (5 * step));
        Store<TVectors>(c60, c61, sum + (6 * step));
        Store<TVectors>(c70, c71, sum + (7 * step));
        Store<TVectors>(c80, c81, sum + (8 * step));
        Store<TVectors>(c90, c91, sum + (9 * step));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose<TVectors>(T* a, nint strideA, T* target)
        where TVectors : ICount
    {
        GemmTranspose.Step(a, strideA, target, TVectors.Count * Lanes);
        if (TVectors.Count == 2)
        {
            GemmTranspose.Step(a + (Lanes * strideA), strideA, target + Lanes, TVectors.Count * Lanes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd<TVectors>(T* b, Vector512<T> a0, Vector512<T> a1, ref Vector512<T> c0, ref Vector512<T> c1)
        where TVectors : ICount
    {
        Vector512<T> value = Vector512.Create(*b);
        c0 = Simd512<T>.Fma(value, a0, c0);
        if (TVectors.Count == 2)
        {
            c1 = Simd512<T>.Fma(value, a1, c1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TVectors>(Vector512<T> c0, Vector512<T> c1, T* sum)
        where TVectors : ICount
    {
        c0.Store(sum);
        if (TVectors.Count == 2)
        {
            c1.Store(sum + Lanes);
        }
    }
}
