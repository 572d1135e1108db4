using DistTrain.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Data.Sources;

/// <summary>The parts of a <see cref="Scaling"/> that need no fit: divisor, asinh and log-max. All of them map 0 to 0.</summary>
internal sealed class ElementScaling
{
    /// <summary>1 / ln 10.</summary>
    private const double InverseLn10 = 0.43429448190325182765;

    private readonly Scaling _scaling;

    /// <param name="scaling">What to do.</param>
    /// <param name="byteDivisor">What bytes are divided by before anything else, because their source means it so.</param>
    public ElementScaling(Scaling scaling, double byteDivisor)
    {
        _scaling = scaling;
        for (int value = 0; value < ByteTable.Length; value++)
        {
            ByteTable[value] = value / byteDivisor;
        }

        MapValues(ByteTable);
    }

    /// <summary>Value of each byte after divisor and asinh; log-max never leaves bytes as they are.</summary>
    public double[] ByteTable { get; } = new double[256];

    /// <summary>
    /// Maps every value; arrays of numbers are changed in place, bytes stay bytes where one table can stand for the map.
    /// </summary>
    public RawFeatures Map(RawFeatures features, string name)
    {
        switch (features)
        {
            case RawBytes bytes when !_scaling.LogMax:
                return bytes;
            case RawBytes bytes:
                RawDense widened = new([.. bytes.Values.Select(value => value / bytes.Divisor)], bytes.Rows, bytes.Columns);
                return Map(widened, name);
            case RawDense dense:
                MapValues(dense.Values);
                for (int row = 0; row < dense.Rows && _scaling.LogMax; row++)
                {
                    LogMaxRow(dense.Values.AsSpan(row * dense.Columns, dense.Columns), row, name);
                }

                return dense;
            case RawSparse sparse:
                MapValues(sparse.Values);
                for (int row = 0; row < sparse.Rows && _scaling.LogMax; row++)
                {
                    LogMaxRow(sparse.Values.AsSpan(sparse.Starts[row]..sparse.Starts[row + 1]), row, name);
                }

                return sparse;
            default:
                throw new InvalidOperationException($"{features.GetType()} is no known layout.");
        }
    }

    private static void LogMaxRow(Span<double> row, int number, string name)
    {
        double largest = 0;
        foreach (ref double value in row)
        {
            if (value < 0)
            {
                throw new InvalidInputException(
                    FormattableString.Invariant($"{name}: row {number + 1}: log-max needs counts of at least 0, and here is {value}."));
            }

            value = LogOnePlus(value) * InverseLn10;
            largest = Math.Max(largest, value);
        }

        if (largest > 0)
        {
            foreach (ref double value in row)
            {
                value /= largest;
            }
        }
    }

    /// <summary>
    /// ln(1 + x) for x ≥ 0, accurate for small x too: ln(u)·x/(u − 1) with u = 1 + x rounded (Goldberg 1991, theorem 4). It uses
    /// the project's own logarithm, because the platform's differs in the last bit between machines.
    /// </summary>
    private static double LogOnePlus(double x)
    {
        double u = 1 + x;
        if (u == 1)
        {
            return x;
        }

        double log = 0;
        Elementwise.Log(new ReadOnlySpan<double>(in u), new Span<double>(ref log));
        return log * (x / (u - 1));
    }

    /// <summary>asinh(x) = sign(x)·ln(1 + |x| + x²/(1 + √(1 + x²))).</summary>
    private static double Asinh(double x)
    {
        double size = Math.Abs(x);

        // Beyond 1e150 the square would overflow, and asinh x is ln 2x to rounding.
        double excess = size < 1e150 ? size * size / (1 + Math.Sqrt(1 + (size * size))) : size;
        return Math.CopySign(LogOnePlus(size + excess), x);
    }

    private void MapValues(Span<double> values)
    {
        if (_scaling.Scale is double scale)
        {
            foreach (ref double value in values)
            {
                value /= scale;
            }
        }

        if (_scaling.Asinh is double width)
        {
            foreach (ref double value in values)
            {
                value = Asinh(value / width);
            }
        }
    }
}
