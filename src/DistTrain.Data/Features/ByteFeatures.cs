using System.Numerics;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Data.Features;

/// <summary>
/// Bytes with one table from byte to value, and optionally a mean and a factor per column: a quarter or an eighth of the memory
/// of the values themselves.
/// </summary>
internal sealed class ByteFeatures<T> : FeatureStore<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly byte[] _values;
    private readonly double[] _table;
    private readonly T[] _converted;
    private readonly ColumnScaling? _perColumn;

    /// <param name="values">Rows × columns.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="table">Value of each of the 256 bytes, before <paramref name="perColumn"/>.</param>
    /// <param name="perColumn">What differs from column to column; null when nothing does.</param>
    public ByteFeatures(byte[] values, int rows, int columns, double[] table, ColumnScaling? perColumn)
        : base(rows, columns)
    {
        _values = values;
        _table = table;
        _converted = [.. table.Select(T.CreateTruncating)];
        _perColumn = perColumn;
    }

    public override void CopyRow(int row, Span<T> destination) => CopyRows([row], destination[..Columns], streams: false);

    public override void CopyRows(ReadOnlySpan<int> rows, Span<T> destination, bool streams)
    {
        if (_perColumn is null)
        {
            ByteTable.Map<T>(_values, Columns, rows, _converted, destination, streams);
            return;
        }

        for (int i = 0; i < rows.Length; i++)
        {
            CopyScaled(rows[i], _perColumn, destination.Slice(i * Columns, Columns));
        }
    }

    // Called for every row of the first step, long before calls alone would have it compiled with optimizations.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CopyScaled(int row, ColumnScaling scaling, Span<T> destination)
    {
        RequireRow(row);
        ReadOnlySpan<byte> source = _values.AsSpan(row * Columns, Columns);
        destination = destination[..source.Length];
        for (int i = 0; i < source.Length; i++)
        {
            destination[i] = T.CreateTruncating(scaling.Apply(i, _table[source[i]]));
        }
    }
}
