using System.Numerics;
using System.Runtime.CompilerServices;

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

    // Called for every row of the first step, long before calls alone would have it compiled with optimizations.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void CopyRow(int row, Span<T> destination)
    {
        RequireRow(row);
        ReadOnlySpan<byte> source = _values.AsSpan(row * Columns, Columns);
        destination = destination[..source.Length];
        if (_perColumn is null)
        {
            T[] converted = _converted;
            for (int i = 0; i < source.Length; i++)
            {
                destination[i] = converted[source[i]];
            }

            return;
        }

        for (int i = 0; i < source.Length; i++)
        {
            destination[i] = T.CreateTruncating(_perColumn.Apply(i, _table[source[i]]));
        }
    }
}
