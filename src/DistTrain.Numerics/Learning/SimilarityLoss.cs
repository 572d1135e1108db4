using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>
/// Similarity matching, L = ‖S(H Vᵀ) − S(Y)‖² / rows² (Nøkland and Eidnes 2019, eq. 4 and 5; the mean over the matrix's elements
/// is their implementation's). S_ij is the cosine of rows i and j, each less its own mean.
/// </summary>
/// <remarks>
/// As in their implementation 1e-8 is added to the rows' norms, so that a row of equal values has similarity 0 with all. The
/// diagonals, 1 in both matrices, are left out. A single target column t counts as the two classes (1 − t, t), because one value
/// less its own mean is 0.
/// </remarks>
internal sealed class SimilarityLoss<T>(NetworkSpec map) : LocalLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static readonly T SmallestNorm = T.CreateChecked(1e-8);
    private static readonly PassContext Context = new(0, 0, 0, Training: true);

    // V: width × width, without bias.
    private readonly StageProgram<T> _map = new(map, 0, 1);

    /// <inheritdoc/>
    public override LossResult Signal(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> networkInput, TensorView<T> output, TensorView<T> target,
        TensorView<T> signal, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch,
        IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        int rows = output.Rows, width = output.Columns;
        long mark = scratch.Mark;
        TensorView<T> mapped = scratch.Take<T>(rows, width), norms = scratch.Take<T>(1, rows);
        TensorView<T> difference = scratch.Take<T>(rows, rows);
        StagePass<T> pass = new(parameters, output, mapped, default, Context, scratch, fork);
        _map.Forward(pass);
        Normalize(mapped, norms.Span);
        double sum = Difference(mapped, target, difference, scratch, fork);
        if (!gradients.IsEmpty)
        {
            // d(rowWeight · rows · L)/dS twice, for S_ij and S_ji, which are one product.
            T factor = T.CreateChecked(rows == 0 ? 0 : 4 * rowWeight / rows);
            TensorPrimitives.Multiply(difference.Span, factor, difference.Span);
            TensorView<T> mapSignal = scratch.Take<T>(rows, width);
            Gemm.Multiply(difference, false, mapped, false, mapSignal, false, default, fork);
            NormalizeBack(mapped, norms.Span, mapSignal);
            _map.Backward(pass, new StageSignals<T>(mapSignal, signal, gradients, accumulate));
        }

        scratch.Release(mark);
        return new LossResult(rows == 0 ? 0 : sum / rows, 0, rows);
    }

    /// <summary>Writes S(u) − S(target) with a diagonal of 0; returns the sum of its squares.</summary>
    private static double Difference(
        TensorView<T> u, TensorView<T> target, TensorView<T> difference, ComputeScratch scratch, IForkJoin? fork)
    {
        int rows = u.Rows;
        long mark = scratch.Mark;
        TensorView<T> classes = Classes(target, scratch), wanted = scratch.Take<T>(rows, rows);
        Normalize(classes, scratch.Take<T>(1, rows).Span);
        Gemm.Multiply(u, false, u, true, difference, false, default, fork);
        Gemm.Multiply(classes, false, classes, true, wanted, false, default, fork);
        TensorPrimitives.Subtract(difference.Span, wanted.Span, difference.Span);
        for (int row = 0; row < rows; row++)
        {
            difference.Row(row)[row] = T.Zero;
        }

        scratch.Release(mark);
        return Elementwise.SumOfSquares<T>(difference.Span);
    }

    private static TensorView<T> Classes(TensorView<T> target, ComputeScratch scratch)
    {
        bool single = target.Columns == 1;
        TensorView<T> classes = scratch.Take<T>(target.Rows, single ? 2 : target.Columns);
        if (!single)
        {
            target.Span.CopyTo(classes.Span);
            return classes;
        }

        Span<T> from = target.Span, to = classes.Span;
        for (int row = 0; row < from.Length; row++)
        {
            (to[2 * row], to[(2 * row) + 1]) = (T.One - from[row], from[row]);
        }

        return classes;
    }

    /// <summary>Every row less its mean, over its norm; the norms.</summary>
    private static void Normalize(TensorView<T> rows, Span<T> norms)
    {
        for (int row = 0; row < rows.Rows; row++)
        {
            Span<T> x = rows.Row(row);
            T mean = Elementwise.Sum<T>(x) / T.CreateTruncating(x.Length);
            TensorPrimitives.Subtract(x, mean, x);
            T norm = T.CreateTruncating(Math.Sqrt(Elementwise.SumOfSquares<T>(x)));
            norms[row] = norm;
            TensorPrimitives.Divide(x, norm + SmallestNorm, x);
        }
    }

    /// <summary>From d(loss)/du, d(loss)/d(what was normalized to u): with n the norm and d = n + 1e-8, (g − u (u·g) d/n) / d.
    /// Sums of rows of u have mean 0 as those do, so there is nothing left to centre.</summary>
    private static void NormalizeBack(TensorView<T> u, ReadOnlySpan<T> norms, TensorView<T> signal)
    {
        for (int row = 0; row < u.Rows; row++)
        {
            Span<T> x = u.Row(row), g = signal.Row(row);
            T n = norms[row], d = n + SmallestNorm, dot = T.Zero;
            for (int i = 0; i < x.Length; i++)
            {
                dot = T.FusedMultiplyAdd(x[i], g[i], dot);
            }

            T along = n > T.Zero ? dot * d / n : T.Zero;
            for (int i = 0; i < x.Length; i++)
            {
                g[i] = T.FusedMultiplyAdd(-along, x[i], g[i]) / d;
            }
        }
    }
}
