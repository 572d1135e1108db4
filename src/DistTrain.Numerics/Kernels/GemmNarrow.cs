using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    // Room for three times eight values of 32 floats, and for anything that works in registers.
    private const int WorkBytes = 3 * 8 * 32 * sizeof(float);

    private static int Lanes => Vector512<T>.Count;

    /// <summary>Whether the product is of that kind. Blocks over k are added to each other before c, which is another order than to c one by one.</summary>
    public static bool Serves(in GemmProblem<T> problem) =>
        problem.TransposeB && !problem.TransposeA && problem.N <= ColumnsMax && problem.M >= Vector512<T>.Count
        && (!problem.Accumulate || problem.K <= GemmReference.BlockK) && problem.Diagonal == GemmProblem<T>.WholeProduct && Avx512F.IsSupported;

    /// <summary>Runs a product that <see cref="Serves"/>.</summary>
    /// <param name="problem">The product.</param>
    /// <param name="one">Whether each row of b is read for one vector of rows and not for two: where a multiplication takes as long as two reads, what is transposed may fill
    /// the registers instead. It changes speed and no bit.</param>
    public static void Run(in GemmProblem<T> problem, bool one)
    {
        switch (problem.N)
        {
            case 1:
                Run<One>(problem, one);
                break;
            case 2:
                Run<Two>(problem, one);
                break;
            case 3:
                Run<Three>(problem, one);
                break;
            case 4:
                Run<Four>(problem, one);
                break;
            case 5:
                Run<Five>(problem, one);
                break;
            case 6:
                Run<Six>(problem, one);
                break;
            case 7:
                Run<Seven>(problem, one);
                break;
            case 8:
                Run<Eight>(problem, one);
                break;
            case 9:
                Run<Nine>(problem, one);
                break;
            default:
                Run<Ten>(problem, one);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(in GemmProblem<T> problem, bool one)
        where TColumns : ICount
    {
        int m = problem.M;
        for (int i = 0; i < m;)
        {
            // What is left at the end is computed together with rows before it, whose results come out the same once more.
            bool two = !one && m >= 2 * Lanes && m - i > Lanes;
            int rows = two ? 2 * Lanes : Lanes, first = Math.Min(i, m - rows);
            if (two)
            {
                RunRows<Two, TColumns>(problem, first, i, one);
            }
            else
            {
                RunRows<One, TColumns>(problem, first, i, one);
            }

            i = first + rows;
        }
    }

    /// <summary>The rows of a from <paramref name="first"/> on that fill the vectors; those from <paramref name="written"/> on reach c.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRows<TVectors, TColumns>(in GemmProblem<T> problem, int first, int written, bool one)
        where TVectors : ICount
        where TColumns : ICount
    {
        int rows = TVectors.Count * Lanes;
        byte* memory = stackalloc byte[(2 * ColumnsMax * TVectors.Count * 64) + WorkBytes + 64];
        T* total = (T*)(((nint)memory + 63) & -64), sum = total + (ColumnsMax * rows), work = sum + (ColumnsMax * rows);
        T* a = problem.A + (first * problem.StrideA);
        for (int p = 0; p < problem.K; p += GemmReference.BlockK)
        {
            int depth = Math.Min(GemmReference.BlockK, problem.K - p);
            T* target = p == 0 ? total : sum;
            Block<TVectors, TColumns>(a + p, problem.StrideA, problem.B + p, problem.StrideB, depth, work, target, one);
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block<TVectors, TColumns>(T* a, nint strideA, T* b, nint strideB, int depth, T* work, T* sum, bool one)
        where TVectors : ICount
        where TColumns : ICount
    {
        if (typeof(T) == typeof(float) && TVectors.Count == 1 && one)
        {
            GemmNarrowOne.Floats<TColumns>((float*)a, strideA, (float*)b, strideB, depth, (float*)work, (float*)sum);
        }
        else if (typeof(T) == typeof(float) && TVectors.Count == 1)
        {
            GemmNarrowTurned.Sixteen<TColumns>((float*)a, strideA, (float*)b, strideB, depth, (float*)work, (float*)sum);
        }
        else if (typeof(T) == typeof(float))
        {
            GemmNarrowStored.ThirtyTwo<TColumns>((float*)a, strideA, (float*)b, strideB, depth, (float*)work, (float*)sum);
        }
        else if (TVectors.Count == 1)
        {
            GemmNarrowOne.Doubles<TColumns>((double*)a, strideA, (double*)b, strideB, depth, (double*)work, (double*)sum);
        }
        else
        {
            GemmNarrowTurned.Four<TColumns>((double*)a, strideA, (double*)b, strideB, depth, (double*)work, (double*)sum);
        }
    }
}
