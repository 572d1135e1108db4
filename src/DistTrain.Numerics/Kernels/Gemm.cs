using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>General matrix product.</summary>
public static class Gemm
{
    /// <summary>
    /// c = op(a)·op(b), or c + op(a)·op(b); op transposes where asked. c: m×n, op(a): m×k, op(b): k×n. When
    /// <paramref name="rowBias"/> (1×n) is there it is added to every row of the finished product.
    /// </summary>
    public static void Multiply<T>(
        TensorView<T> a, bool transposeA, TensorView<T> b, bool transposeB, TensorView<T> c,
        bool accumulate = false, TensorView<T> rowBias = default, IForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int k = transposeA ? a.Rows : a.Columns;
        for (int i = 0; i < c.Rows; i++)
        {
            for (int j = 0; j < c.Columns; j++)
            {
                T total = accumulate ? c.Row(i)[j] : T.Zero;
                for (int block = 0; block < k; block += 512)
                {
                    T sum = T.Zero;
                    for (int p = block; p < Math.Min(k, block + 512); p++)
                    {
                        sum = T.FusedMultiplyAdd(transposeA ? a.Row(p)[i] : a.Row(i)[p], transposeB ? b.Row(j)[p] : b.Row(p)[j], sum);
                    }

                    total = block == 0 && !accumulate ? sum : total + sum;
                }

                c.Row(i)[j] = rowBias.IsNone ? total : total + rowBias.Span[j];
            }
        }
    }
}
