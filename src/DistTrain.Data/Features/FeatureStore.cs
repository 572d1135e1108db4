using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Data.Features;

/// <summary>Scaled inputs in the form that costs least memory; immutable.</summary>
internal abstract class FeatureStore<T>(int rows, int columns)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public int Rows { get; } = rows;

    public int Columns { get; } = columns;

    /// <summary>
    /// Writes one row, <see cref="Columns"/> values. Throws <see cref="ArgumentOutOfRangeException"/> for no such row.
    /// </summary>
    public abstract void CopyRow(int row, Span<T> destination);

    /// <summary>Writes some rows, one behind the other.</summary>
    /// <param name="rows">In any order, repeats allowed.</param>
    /// <param name="destination">rows × <see cref="Columns"/> values.</param>
    /// <param name="streams">Whether several cores will read it; see <see cref="RowGather"/>.</param>
    public virtual void CopyRows(ReadOnlySpan<int> rows, Span<T> destination, bool streams)
    {
        for (int i = 0; i < rows.Length; i++)
        {
            CopyRow(rows[i], destination.Slice(i * Columns, Columns));
        }
    }

    /// <summary>All rows, one after the other, where they are stored so; empty otherwise.</summary>
    public virtual ReadOnlyMemory<T> Matrix => default;

    protected void RequireRow(int row) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
}
