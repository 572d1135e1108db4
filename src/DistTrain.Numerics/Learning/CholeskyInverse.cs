using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>
/// The inverse of a symmetric positive definite matrix through A = UᵀU. Rows are subtracted in order with one rounding for each
/// product, so that the bits do not depend on the machine; not-a-number spreads instead of failing.
/// </summary>
internal static class CholeskyInverse
{
    /// <summary>inverse = matrix⁻¹; the matrix is overwritten.</summary>
    public static void Compute(TensorView<double> matrix, TensorView<double> inverse, ComputeScratch scratch, IForkJoin? fork)
    {
        Factor(matrix);
        long mark = scratch.Mark;
        TensorView<double> w = scratch.Take<double>(matrix.Rows, matrix.Rows);
        InvertTransposed(matrix, w);
        Gemm.Multiply(w, true, w, false, inverse, false, default, fork);
        scratch.Release(mark);
    }

    /// <summary>Writes U over the upper triangle.</summary>
    private static void Factor(TensorView<double> a)
    {
        for (int k = 0; k < a.Rows; k++)
        {
            Span<double> row = a.Row(k)[k..];
            double pivot = Math.Sqrt(row[0]);
            for (int i = 0; i < row.Length; i++)
            {
                row[i] /= pivot;
            }

            for (int i = 1; i < row.Length; i++)
            {
                Elementwise.AddScaled<double>(row[i..], -row[i], a.Row(k + i)[(k + i)..]);
            }
        }
    }

    /// <summary>W = U⁻ᵀ, lower triangular, by forward substitution: A⁻¹ = WᵀW.</summary>
    private static void InvertTransposed(TensorView<double> u, TensorView<double> w)
    {
        w.Span.Clear();
        for (int i = 0; i < u.Rows; i++)
        {
            Span<double> row = w.Row(i)[..(i + 1)];
            row[i] = 1;
            for (int k = 0; k < i; k++)
            {
                Elementwise.AddScaled<double>(w.Row(k)[..(k + 1)], -u.Row(k)[i], row[..(k + 1)]);
            }

            double pivot = u.Row(i)[i];
            for (int j = 0; j <= i; j++)
            {
                row[j] /= pivot;
            }
        }
    }
}
