using DistTrain.Data.Features;
using DistTrain.Numerics;

namespace DistTrain.Data.Sources;

/// <summary>
/// Means and population deviations, in two passes and in row order, so that the same file gives the same bits. Whether a column
/// is constant is decided by its smallest and largest value, not by a deviation that rounding may have left above 0.
/// </summary>
internal static class ColumnMoments
{
    public static ColumnScaling PerColumn(RawFeatures features, double[] byteTable)
    {
        Moments[] moments = new Moments[features.Columns];
        Visit(features, byteTable, (column, value, times) => moments[column].AddToMean(value, times));
        Visit(features, byteTable, (column, value, times) => moments[column].AddToDeviation(value, times));
        return new ColumnScaling([.. moments.Select(one => one.Mean)], [.. moments.Select(one => one.Factor)]);
    }

    public static ColumnScaling Global(RawFeatures features, double[] byteTable)
    {
        Moments moments = default;
        Visit(features, byteTable, (_, value, times) => moments.AddToMean(value, times));
        Visit(features, byteTable, (_, value, times) => moments.AddToDeviation(value, times));
        return new ColumnScaling([moments.Mean], [moments.Factor]);
    }

    private static void Visit(RawFeatures features, double[] byteTable, Action<int, double, long> add)
    {
        switch (features)
        {
            case RawBytes bytes:
                VisitBytes(bytes, byteTable, add);
                break;
            case RawDense dense:
                for (int i = 0; i < dense.Values.Length; i++)
                {
                    add(i % dense.Columns, dense.Values[i], 1);
                }

                break;
            case RawSparse sparse:
                VisitSparse(sparse, add);
                break;
        }
    }

    private static void VisitBytes(RawBytes bytes, double[] byteTable, Action<int, double, long> add)
    {
        int[] counts = new int[CountsLength(bytes.Columns)];
        for (int row = 0; row < bytes.Rows; row++)
        {
            ReadOnlySpan<byte> values = bytes.Values.AsSpan(row * bytes.Columns, bytes.Columns);
            for (int column = 0; column < values.Length; column++)
            {
                counts[(column * 256) + values[column]]++;
            }
        }

        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] > 0)
            {
                add(i / 256, byteTable[i % 256], counts[i]);
            }
        }
    }

    private static int CountsLength(int columns) => columns <= Array.MaxLength / 256
        ? columns * 256
        : throw new InvalidInputException($"data: standardize: {columns} columns of bytes are more than {Array.MaxLength / 256}; expected fewer, or no standardization.");

    private static void VisitSparse(RawSparse sparse, Action<int, double, long> add)
    {
        int[] stored = new int[sparse.Columns];
        for (int i = 0; i < sparse.Values.Length; i++)
        {
            stored[sparse.Indices[i]]++;
            add(sparse.Indices[i], sparse.Values[i], 1);
        }

        for (int column = 0; column < stored.Length; column++)
        {
            if (stored[column] < sparse.Rows)
            {
                add(column, 0, sparse.Rows - stored[column]);
            }
        }
    }

    private struct Moments
    {
        private double _sum, _squares, _smallest, _largest;
        private long _count;

        public readonly double Mean => _count == 0 ? 0 : _sum / _count;

        public readonly double Factor => _smallest == _largest || _squares == 0 ? 0 : 1 / Math.Sqrt(_squares / _count);

        public void AddToMean(double value, long times)
        {
            (_smallest, _largest) = _count == 0 ? (value, value) : (Math.Min(_smallest, value), Math.Max(_largest, value));
            _sum += value * times;
            _count += times;
        }

        public void AddToDeviation(double value, long times)
        {
            double distance = value - Mean;
            _squares += distance * distance * times;
        }
    }
}
