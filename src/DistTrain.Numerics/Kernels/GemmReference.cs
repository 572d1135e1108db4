using System.Numerics;
using System.Runtime.CompilerServices;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// The product as plain loops: the definition of every bit of a result, and the fastest way for a handful of elements.
/// </summary>
internal static unsafe class GemmReference
{
    /// <summary>Products over k are added in blocks of this many.</summary>
    public const int BlockK = 512;

    /// <summary>
    /// Each element adds its products in the order of k, by FMA from 0, within blocks of 512; the blocks are added in order,
    /// to c when accumulating; the bias comes last.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(in GemmProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (nint rowA, nint stepA) = problem.TransposeA ? ((nint)1, problem.StrideA) : (problem.StrideA, 1);
        (nint columnB, nint stepB) = problem.TransposeB ? (problem.StrideB, (nint)1) : (1, problem.StrideB);
        int k = problem.K;
        for (int i = 0; i < problem.M; i++)
        {
            T* a = problem.A + (i * rowA), c = problem.C + (i * problem.StrideC);
            for (int j = 0; j < problem.N; j++)
            {
                T* b = problem.B + (j * columnB);
                T total = problem.Accumulate ? c[j] : T.Zero;
                for (int block = 0; block < k; block += BlockK)
                {
                    T sum = Dot(a + (block * stepA), stepA, b + (block * stepB), stepB, Math.Min(k - block, BlockK));
                    total = block == 0 && !problem.Accumulate ? sum : total + sum;
                }

                c[j] = problem.Bias == null ? total : total + problem.Bias[j];
            }
        }
    }

    /// <summary>Σ a·b in order, by FMA from 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Dot<T>(T* a, nint stepA, T* b, nint stepB, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (; count >= 4; count -= 4, a += 4 * stepA, b += 4 * stepB)
        {
            sum = T.FusedMultiplyAdd(a[0], b[0], sum);
            sum = T.FusedMultiplyAdd(a[stepA], b[stepB], sum);
            sum = T.FusedMultiplyAdd(a[2 * stepA], b[2 * stepB], sum);
            sum = T.FusedMultiplyAdd(a[3 * stepA], b[3 * stepB], sum);
        }

        for (; count > 0; count--, a += stepA, b += stepB)
        {
            sum = T.FusedMultiplyAdd(*a, *b, sum);
        }

        return sum;
    }
}
