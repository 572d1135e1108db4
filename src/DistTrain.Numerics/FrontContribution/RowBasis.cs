using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>
/// An orthonormal basis of the space that rows span, X = C Q, by blocked Householder reflections of Xᵀ without pivoting
/// (Golub and Van Loan 2013, 5.2;
/// the compact WY form of Schreiber and Van Loan 1989).
/// </summary>
public static class RowBasis
{
    private const int Panel = 32;

    /// <summary>
    /// Writes C and Q and returns the rank r. A direction is dropped only where what is left of its row is at most N·ε times the row's own norm, by which
    /// reflections are in error (Higham 2002, 19.3): beside a row that is much larger than the others, these keep their directions. A row of zeros has coordinates
    /// that are exactly zero. Columns of C and rows of Q from r on are zero.
    /// </summary>
    /// <param name="x">N × d, with N ≤ d.</param>
    /// <param name="c">N × N.</param>
    /// <param name="q">N × d.</param>
    /// <param name="scratch">The calling thread's; takes about as much as <paramref name="q"/>.</param>
    /// <param name="fork">Helpers, or null.</param>
    public static int Compute<T>(IInputRows<T> x, TensorView<T> c, TensorView<T> q, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(scratch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(x.Rows, x.Columns);
        long mark = scratch.Mark;
        x.Copy(0, q);
        c.Span.Clear();
        double epsilon = typeof(T) == typeof(float) ? float.BitIncrement(1) - 1 : double.BitIncrement(1) - 1;
        double[] drops = new double[x.Rows];
        for (int row = 0; row < x.Rows; row++)
        {
            drops[row] = x.Rows * epsilon * Math.Sqrt(Elementwise.SumOfSquares<T>(q.Row(row)));
        }

        TensorView<T> reflectors = scratch.Take<T>(x.Rows, x.Columns);
        reflectors.Span.Clear();
        List<Block<T>> blocks = [];
        int rank = 0;
        for (int first = 0; first < x.Rows; first += Panel)
        {
            int end = Math.Min(first + Panel, x.Rows);
            Block<T> block = new(reflectors, rank, scratch.Take<T>(Panel, Panel));
            for (int row = first; row < end; row++)
            {
                block.Apply(Rows(q, row, row + 1), transpose: false, scratch, fork);
                block.TryAdd(q.Row(row), drops[row], scratch);
                rank = block.End;
                q.Row(row)[..rank].CopyTo(c.Row(row));
            }

            block.Apply(Rows(q, end, x.Rows), transpose: false, scratch, fork);
            blocks.Add(block);
        }

        FormBasis(q, blocks, rank, scratch, fork);
        scratch.Release(mark);
        return rank;
    }

    /// <summary>The first r columns of H₁ H₂ … H_r, as rows: the blocks applied to those of the identity, last block
    /// first.</summary>
    private static void FormBasis<T>(TensorView<T> q, List<Block<T>> blocks, int rank, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        q.Span.Clear();
        for (int row = 0; row < rank; row++)
        {
            q.Row(row)[row] = T.One;
        }

        for (int block = blocks.Count - 1; block >= 0; block--)
        {
            // Rows before a block's first reflector are still those of the identity, which it leaves alone.
            blocks[block].Apply(Rows(q, blocks[block].Start, rank), transpose: true, scratch, fork);
        }
    }

    private static TensorView<T> Rows<T>(TensorView<T> matrix, int first, int end)
        where T : unmanaged => matrix.Slice(first * matrix.Columns, end - first, matrix.Columns);

    /// <summary>Consecutive reflectors H = I − τ v vᵀ, v rows of a matrix, and the triangle T of their product I − Vᵀ T
    /// V.</summary>
    private sealed class Block<T>(TensorView<T> reflectors, int start, TensorView<T> triangle)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public int Start => start;

        public int End => start + Count;

        private int Count { get; set; }

        private TensorView<T> Vectors => Rows(reflectors, start, End);

        /// <summary>rows ← rows − rows Vᵀ T V: the reflectors in order; with Tᵀ in reverse order.</summary>
        public void Apply(TensorView<T> rows, bool transpose, ComputeScratch scratch, IForkJoin? fork)
        {
            if (Count == 0 || rows.Rows == 0)
            {
                return;
            }

            long mark = scratch.Mark;
            TensorView<T> dots = scratch.Take<T>(rows.Rows, Count), weights = scratch.Take<T>(rows.Rows, Count), t = scratch.Take<T>(Count, Count);
            for (int row = 0; row < Count; row++)
            {
                triangle.Row(row)[..Count].CopyTo(t.Row(row));
            }

            Gemm.Multiply(rows, false, Vectors, true, dots, false, default, fork);
            Gemm.Multiply(dots, false, t, transpose, weights, false, default, fork);
            foreach (ref T weight in weights.Span)
            {
                weight = -weight;
            }

            Gemm.Multiply(weights, false, Vectors, false, rows, true, default, fork);
            scratch.Release(mark);
        }

        /// <summary>Adds the reflector that leaves nothing of a row behind its next coordinate, unless nothing is left there
        /// anyway.</summary>
        public void TryAdd(Span<T> row, double drop, ComputeScratch scratch)
        {
            int place = End;
            Span<T> rest = row[place..];
            double norm = Math.Sqrt(Elementwise.SumOfSquares<T>(rest));
            if (norm <= drop)
            {
                return;
            }

            double alpha = double.CreateChecked(rest[0]), beta = alpha > 0 ? -norm : norm, tau = (beta - alpha) / beta;
            Span<T> v = reflectors.Row(place)[place..];
            T pivot = T.CreateChecked(alpha - beta);
            for (int i = 1; i < v.Length; i++)
            {
                v[i] = rest[i] / pivot;
            }

            v[0] = T.One;
            rest.Clear();
            rest[0] = T.CreateChecked(beta);
            AddToTriangle(T.CreateChecked(tau), scratch);
        }

        /// <summary>T's next column: τ on the diagonal, −τ T (V v) above it.</summary>
        private void AddToTriangle(T tau, ComputeScratch scratch)
        {
            int count = Count;
            Span<T> diagonal = triangle.Row(count);
            diagonal.Clear();
            diagonal[count] = tau;
            if (count > 0)
            {
                long mark = scratch.Mark;
                TensorView<T> dots = scratch.Take<T>(count, 1);
                Gemm.Multiply(Vectors, false, Rows(reflectors, End, End + 1), true, dots);
                for (int i = 0; i < count; i++)
                {
                    T sum = T.Zero;
                    for (int j = i; j < count; j++)
                    {
                        sum += triangle.Row(i)[j] * dots.Span[j];
                    }

                    triangle.Row(i)[count] = -tau * sum;
                }

                scratch.Release(mark);
            }

            Count++;
        }
    }
}
