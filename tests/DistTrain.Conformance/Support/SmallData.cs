using System.Numerics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Numerics;

namespace DistTrain.Conformance.Support;

/// <summary>Small classes that overlap a little, drawn from a seed; the same numbers in both precisions.</summary>
internal static class SmallData
{
    public static RunData Classes(Precision precision, int trainRows, int testRows, int inputs, int classes, ulong seed = 1) =>
        precision == Precision.Float32
            ? Of<float>(trainRows, testRows, inputs, classes, seed)
            : Of<double>(trainRows, testRows, inputs, classes, seed);

    /// <summary>Rows whose targets are the inputs, for autoencoders.</summary>
    public static RunData Mirrored(Precision precision, int trainRows, int testRows, int inputs, ulong seed = 1) =>
        precision == Precision.Float32
            ? Mirrored<float>(trainRows, testRows, inputs, seed)
            : Mirrored<double>(trainRows, testRows, inputs, seed);

    private static RunData Of<T>(int trainRows, int testRows, int inputs, int classes, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        DataSet<T> Rows(int rows, int stream)
        {
            Draw draw = new(seed, stream);
            int[] labels = [.. Enumerable.Range(0, rows).Select(_ => draw.Below(classes))];
            T[] values = [.. labels.SelectMany(label => Enumerable.Range(0, inputs)
                .Select(input => T.CreateChecked(draw.Uniform(-1, 1) + (input % classes == label ? 0.75 : 0))))];
            return DataSet<T>.FromLabels("small", inputs, values, labels, classes);
        }

        return RunData.From(new TrainTest<T>(Rows(trainRows, 1), testRows > 0 ? Rows(testRows, 2) : null));
    }

    private static RunData Mirrored<T>(int trainRows, int testRows, int inputs, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        DataSet<T> Rows(int rows, int stream)
        {
            Draw draw = new(seed, stream);
            T[] values = [.. Enumerable.Range(0, rows * inputs).Select(_ => T.CreateChecked(draw.Uniform(0, 1)))];
            return DataSet<T>.FromVectors("mirrored", inputs, values, inputs, values);
        }

        return RunData.From(new TrainTest<T>(Rows(trainRows, 1), testRows > 0 ? Rows(testRows, 2) : null));
    }
}
