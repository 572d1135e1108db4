using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>Gaussian kernel matrices of rows of values, and their gradient, in double precision and a fixed order.</summary>
internal static class GaussianKernel
{
    /// <summary>The values in double precision.</summary>
    public static TensorView<double> Widen<T>(TensorView<T> values, ComputeScratch scratch)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorView<double> wide = scratch.Take<double>(values.Rows, values.Columns);
        ReadOnlySpan<T> from = values.Span;
        Span<double> to = wide.Span;
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = double.CreateTruncating(from[i]);
        }

        return wide;
    }

    /// <summary>K_ij = exp(−‖x_i − x_j‖² / (2 variance)), with the distance as ‖x_i‖² + ‖x_j‖² − 2 x_i·x_j, 0 on the
    /// diagonal.</summary>
    public static void Matrix(
        TensorView<double> x, double variance, TensorView<double> kernel, ComputeScratch scratch, IForkJoin? fork)
    {
        long mark = scratch.Mark;
        Span<double> squares = scratch.Take<double>(1, x.Rows).Span;
        Gemm.Multiply(x, false, x, true, kernel, false, default, fork);
        for (int row = 0; row < x.Rows; row++)
        {
            squares[row] = kernel.Row(row)[row];
        }

        double scale = -0.5 / variance;
        for (int row = 0; row < x.Rows; row++)
        {
            Span<double> k = kernel.Row(row);
            for (int i = 0; i < k.Length; i++)
            {
                k[i] = scale * Math.Max(0, squares[row] + squares[i] - (2 * k[i]));
            }
        }

        Elementwise.Exp<double>(kernel.Span, kernel.Span);
        scratch.Release(mark);
    }

    /// <summary>HKH of a symmetric matrix, H = I − 1/m: every element less its row's and column's mean, plus the mean of
    /// all.</summary>
    public static void Centre(TensorView<double> matrix, ComputeScratch scratch)
    {
        int rows = matrix.Rows;
        long mark = scratch.Mark;
        Span<double> means = scratch.Take<double>(1, rows).Span;
        for (int row = 0; row < rows; row++)
        {
            means[row] = Elementwise.Sum<double>(matrix.Row(row)) / rows;
        }

        double mean = Elementwise.Sum<double>(means) / rows;
        for (int row = 0; row < rows; row++)
        {
            Span<double> m = matrix.Row(row);
            for (int i = 0; i < m.Length; i++)
            {
                m[i] = m[i] - (means[row] + means[i]) + mean;
            }
        }

        scratch.Release(mark);
    }

    /// <summary>
    /// signal_i = −(2 factor / variance) Σ_j W_ij (x_i − x_j), W = G ∘ K: the gradient through the kernel for a symmetric
    /// G = dL/dK, which is overwritten.
    /// </summary>
    public static void Signal<T>(
        TensorView<double> x, TensorView<double> kernel, TensorView<double> kernelSignal, double variance, double factor,
        TensorView<T> signal, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long mark = scratch.Mark;
        TensorView<double> others = scratch.Take<double>(x.Rows, x.Columns);
        Span<double> w = kernelSignal.Span;
        ReadOnlySpan<double> k = kernel.Span;
        for (int i = 0; i < w.Length; i++)
        {
            w[i] *= k[i];
        }

        Gemm.Multiply(kernelSignal, false, x, false, others, false, default, fork);
        double scale = -2 * factor / variance;
        for (int row = 0; row < x.Rows; row++)
        {
            double total = Elementwise.Sum<double>(kernelSignal.Row(row));
            ReadOnlySpan<double> own = x.Row(row), away = others.Row(row);
            Span<T> result = signal.Row(row);
            for (int i = 0; i < own.Length; i++)
            {
                result[i] = T.CreateTruncating(scale * ((total * own[i]) - away[i]));
            }
        }

        scratch.Release(mark);
    }
}
