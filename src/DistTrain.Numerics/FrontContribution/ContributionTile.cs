using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>
/// What some rows contribute once: S₀ = X W₀ᵀ and their coordinates Φ. With the features spread over shares, each share
/// gives its part, and the parts add up
/// in share order.
/// </summary>
public static class ContributionTile
{
    /// <summary>Rows of a tile: enough for full kernel speed, few enough that tiles overlap with their way.</summary>
    public const int RowsMax = 256;

    /// <summary>Writes S₀ of some rows: s (rows × h′) = x W₀ᵀ.</summary>
    /// <param name="rows">The inputs.</param>
    /// <param name="first">The first row.</param>
    /// <param name="weight">W₀ for the columns of <paramref name="rows"/>: h′ × columns.</param>
    /// <param name="s">As many rows as the tile has.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers, or null.</param>
    public static void FirstOutputs<T>(
        IInputRows<T> rows, int first, TensorView<T> weight, TensorView<T> s, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(scratch);
        long mark = scratch.Mark;
        Gemm.Multiply(rows.Read(first, s.Rows, scratch), false, weight, true, s, false, default, fork);
        scratch.Release(mark);
    }

    /// <summary>
    /// Writes rows of the Gram matrix: k[i, j] = x_{first+i} · t_j for the first k.Columns training rows t. Of a symmetric
    /// tile, whose rows are those of
    /// its last columns, only k[i, j] with j ≤ first + i counts and is written, 0 stands for the rest; <see cref="Add"/> mirrors the rest.
    /// </summary>
    public static void Gram<T>(
        IInputRows<T> rows, int first, IInputRows<T> training, TensorView<T> k, bool symmetric, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(scratch);
        long mark = scratch.Mark;
        k.Span.Clear();
        TensorView<T> x = rows.Read(first, k.Rows, scratch);
        int others = symmetric ? first : k.Columns;
        for (int start = 0; start < others; start += RowsMax)
        {
            int count = Math.Min(RowsMax, others - start);
            long inner = scratch.Mark;
            Multiply(x, training.Read(start, count, scratch), lower: false, start, k, scratch, fork);
            scratch.Release(inner);
        }

        if (symmetric)
        {
            Multiply(x, x, lower: true, first, k, scratch, fork);
        }

        scratch.Release(mark);
    }

    /// <summary>Writes the products of the rows of x with those of t to k's columns from <paramref name="column"/> on; with
    /// its own rows only up to the diagonal.</summary>
    private static void Multiply<T>(
        TensorView<T> x, TensorView<T> t, bool lower, int column, TensorView<T> k, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long mark = scratch.Mark;
        TensorView<T> block = scratch.Take<T>(x.Rows, t.Rows);
        if (lower)
        {
            Gemm.MultiplyLower(x, block, fork);
        }
        else
        {
            Gemm.Multiply(x, false, t, true, block, false, default, fork);
        }

        for (int i = 0; i < block.Rows; i++)
        {
            int columns = lower ? i + 1 : block.Columns;
            block.Row(i)[..columns].CopyTo(k.Row(i)[column..]);
        }

        scratch.Release(mark);
    }

    /// <summary>Writes the coordinates of some rows in a basis: c (rows × r) = x Qᵀ, or x itself where the basis is the
    /// identity.</summary>
    public static void InBasis<T>(
        IInputRows<T> rows, int first, TensorView<T> q, TensorView<T> c, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(scratch);
        if (q.IsNone)
        {
            rows.Copy(first, c);
            return;
        }

        long mark = scratch.Mark;
        Gemm.Multiply(rows.Read(first, c.Rows, scratch), false, q, true, c, false, default, fork);
        scratch.Release(mark);
    }

    /// <summary>Puts a tile in its place, or adds it to what earlier shares put there.</summary>
    /// <param name="tile">Rows × columns; of a symmetric matrix the columns up to the tile's last row.</param>
    /// <param name="first">The tile's first row in <paramref name="whole"/>.</param>
    /// <param name="whole">The matrix.</param>
    /// <param name="add">Whether an earlier share is there.</param>
    /// <param name="symmetric">Whether what stands left of the diagonal is mirrored to the right of it.</param>
    public static void Add<T>(TensorView<T> tile, int first, TensorView<T> whole, bool add, bool symmetric)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int row = 0; row < tile.Rows; row++)
        {
            Span<T> to = whole.Row(first + row)[..tile.Columns];
            if (add)
            {
                TensorPrimitives.Add(to, tile.Row(row), to);
            }
            else
            {
                tile.Row(row).CopyTo(to);
            }

            for (int column = 0; symmetric && column < first + row; column++)
            {
                whole.Row(column)[first + row] = to[column];
            }
        }
    }
}
