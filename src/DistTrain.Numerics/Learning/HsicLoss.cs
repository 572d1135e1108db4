using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>
/// The HSIC bottleneck, L = nHSIC(Z, X) − β nHSIC(Z, Y) (Ma, Lewis and Kleijn 2019, eq. 5 to 7): nHSIC(A, B) = tr(K̃_A K̃_B),
/// K̃ = K̄ (K̄ + εmI)⁻¹, K̄ = HKH the centred Gaussian kernel matrix of m rows, exp(−‖a_i − a_j‖² / (2σ²d)) for rows of d values.
/// Everything is computed in double precision.
/// </summary>
/// <remarks>
/// With R = (K̄ + εmI)⁻¹ and a = εm, K̃ = I − aR and dK̃_Z = a R dK̄ R; so d L/dK̄_Z = a R M R with M = K̃_X − βK̃_Y.
/// </remarks>
internal sealed class HsicLoss<T>(double sigma, double epsilon, double beta) : LocalLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override bool NeedsNetworkInput => true;

    /// <inheritdoc/>
    public override LossResult Signal(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> networkInput, TensorView<T> output, TensorView<T> target,
        TensorView<T> signal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch,
        IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        int rows = output.Rows;
        if (rows == 0)
        {
            return default;
        }

        long mark = scratch.Mark;
        TensorView<double> wanted = scratch.Take<double>(rows, rows), normalized = scratch.Take<double>(rows, rows);
        Normalized(networkInput, wanted, scratch, fork);
        Normalized(target, normalized, scratch, fork);
        Elementwise.AddScaled<double>(normalized.Span, -beta, wanted.Span);

        TensorView<double> z = GaussianKernel.Widen(output, scratch);
        TensorView<double> kernel = scratch.Take<double>(rows, rows), inverse = scratch.Take<double>(rows, rows);
        GaussianKernel.Matrix(z, Variance(output), kernel, scratch, fork);
        Inverse(kernel, inverse, scratch, fork);
        double loss = Trace(inverse, wanted);
        if (!signal.IsNone)
        {
            KernelSignal(inverse, wanted, normalized, scratch, fork);
            GaussianKernel.Signal(z, kernel, normalized, Variance(output), rowWeight * rows, signal, scratch, fork);
        }

        scratch.Release(mark);
        return new LossResult(rows * loss, 0, rows);
    }

    private double Variance(TensorView<T> values) => sigma * sigma * values.Columns;

    /// <summary>K̃ of some values.</summary>
    private void Normalized(TensorView<T> values, TensorView<double> normalized, ComputeScratch scratch, IForkJoin? fork)
    {
        int rows = values.Rows;
        long mark = scratch.Mark;
        TensorView<double> kernel = scratch.Take<double>(rows, rows);
        GaussianKernel.Matrix(GaussianKernel.Widen(values, scratch), Variance(values), kernel, scratch, fork);
        Inverse(kernel, normalized, scratch, fork);
        Span<double> k = normalized.Span;
        for (int i = 0; i < k.Length; i++)
        {
            k[i] *= -epsilon * rows;
        }

        for (int i = 0; i < rows; i++)
        {
            normalized.Row(i)[i] += 1;
        }

        scratch.Release(mark);
    }

    /// <summary>R = (HKH + εmI)⁻¹.</summary>
    private void Inverse(TensorView<double> kernel, TensorView<double> inverse, ComputeScratch scratch, IForkJoin? fork)
    {
        long mark = scratch.Mark;
        TensorView<double> centred = scratch.Take<double>(kernel.Rows, kernel.Rows);
        kernel.Span.CopyTo(centred.Span);
        GaussianKernel.Centre(centred, scratch);
        for (int i = 0; i < centred.Rows; i++)
        {
            centred.Row(i)[i] += epsilon * centred.Rows;
        }

        CholeskyInverse.Compute(centred, inverse, scratch, fork);
        scratch.Release(mark);
    }

    /// <summary>tr(K̃_Z M), K̃_Z = I − aR, added row by row.</summary>
    private double Trace(TensorView<double> inverse, TensorView<double> m)
    {
        double scale = epsilon * m.Rows, trace = 0;
        for (int row = 0; row < m.Rows; row++)
        {
            ReadOnlySpan<double> r = inverse.Row(row), w = m.Row(row);
            double sum = 0;
            for (int i = 0; i < r.Length; i++)
            {
                sum = Math.FusedMultiplyAdd(r[i], w[i], sum);
            }

            trace += w[row] - (scale * sum);
        }

        return trace;
    }

    /// <summary>dL/dK = H (a R M R) H = a R M R, because R keeps a vector of equal values and M makes it 0.</summary>
    private void KernelSignal(
        TensorView<double> inverse, TensorView<double> m, TensorView<double> kernelSignal, ComputeScratch scratch,
        IForkJoin? fork)
    {
        long mark = scratch.Mark;
        TensorView<double> product = scratch.Take<double>(m.Rows, m.Rows);
        Gemm.Multiply(inverse, false, m, false, product, false, default, fork);
        Gemm.Multiply(product, false, inverse, false, kernelSignal, false, default, fork);
        double scale = epsilon * m.Rows;
        Span<double> g = kernelSignal.Span;
        for (int i = 0; i < g.Length; i++)
        {
            g[i] *= scale;
        }

        scratch.Release(mark);
    }
}
