using DistTrain.Data.Sources;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Data.Generated;

/// <summary>The small sets. Row i belongs to class i mod classes, so classes differ by at most one row.</summary>
internal static class Planar
{
    /// <summary>Turns that a spiral arm makes from the centre to its end.</summary>
    private const double SpiralTurns = 1;

    /// <summary>Distance between neighbouring centres of blobs.</summary>
    private const double BlobDistance = 6;

    public static RawData Xor() => Labelled("xor", [0, 0, 0, 1, 1, 0, 1, 1], 2, [0, 1, 1, 0], 2);

    public static RawData Spirals(Func<int, RandomStream> streams, int rows, int arms, double noise)
    {
        double[] values = new double[rows * 2];
        for (int row = 0; row < rows; row++)
        {
            RandomStream stream = streams(row);
            double along = 0.05 + (0.95 * stream.Uniform(1000));
            (double sine, double cosine) = PortableMath.SineCosine((SpiralTurns * along) + ((double)(row % arms) / arms));
            values[2 * row] = (along * cosine) + (noise * PortableMath.Bell(stream, 0));
            values[(2 * row) + 1] = (along * sine) + (noise * PortableMath.Bell(stream, 1));
        }

        return Labelled("spirals", values, 2, CyclicLabels(rows, arms), arms);
    }

    public static RawData Blobs(Func<int, RandomStream> streams, int rows, int inputs, int classes, double noise)
    {
        double radius = BlobDistance / (2 * PortableMath.SineCosine(0.5 / classes).Sine);
        double[] values = new double[rows * inputs];
        for (int row = 0; row < rows; row++)
        {
            RandomStream stream = streams(row);
            Span<double> point = values.AsSpan(row * inputs, inputs);
            for (int column = 0; column < inputs; column++)
            {
                point[column] = noise * PortableMath.Bell(stream, column);
            }

            (double sine, double cosine) = PortableMath.SineCosine((double)(row % classes) / classes);
            point[0] += radius * cosine;
            point[1] += radius * sine;
        }

        return Labelled("blobs", values, inputs, CyclicLabels(rows, classes), classes);
    }

    public static int[] CyclicLabels(int rows, int classes) => [.. Enumerable.Range(0, rows).Select(row => row % classes)];

    public static string[] NumberNames(int classes) => [.. Enumerable.Range(0, classes).Select(label => $"{label}")];

    private static RawData Labelled(string name, double[] values, int inputs, int[] labels, int classes) =>
        new(name, new RawDense(values, labels.Length, inputs)) { Labels = labels, ClassNames = NumberNames(classes) };
}
