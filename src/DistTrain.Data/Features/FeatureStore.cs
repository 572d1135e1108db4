using System.Numerics;

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

    protected void RequireRow(int row) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
}
