using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Data.Features;

/// <summary>Values that are ready to be copied.</summary>
internal sealed class DenseFeatures<T>(T[] values, int rows, int columns) : FeatureStore<T>(rows, columns)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override ReadOnlyMemory<T> Matrix => values;

    public override void CopyRow(int row, Span<T> destination)
    {
        RequireRow(row);
        values.AsSpan(row * Columns, Columns).CopyTo(destination);
    }

    public override void CopyRows(ReadOnlySpan<int> rows, Span<T> destination, bool streams) =>
        RowGather.Copy(values, Columns, rows, destination, streams);
}
