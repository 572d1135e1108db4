using System.Numerics;
using DistTrain.Data;

namespace DistTrain.Engines.Soaking;

/// <summary>A few rows of classes that overlap, drawn from a seed.</summary>
internal static class SoakData
{
    public static RunData Of<T>(int trainRows, int testRows, int inputs, int classes, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        RunData.From(new TrainTest<T>(Rows<T>(trainRows, inputs, classes, seed, 101), testRows > 0 ? Rows<T>(testRows, inputs, classes, seed, 102) : null));

    private static DataSet<T> Rows<T>(int rows, int inputs, int classes, ulong seed, int stream)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Draws draws = new(seed, stream);
        int[] labels = new int[rows];
        T[] values = new T[rows * inputs];
        for (int row = 0; row < rows; row++)
        {
            labels[row] = draws.From(0, classes - 1);
            for (int input = 0; input < inputs; input++)
            {
                values[(row * inputs) + input] = T.CreateChecked(draws.Between(-1, 1) + (input % classes == labels[row] ? 0.75 : 0));
            }
        }

        return DataSet<T>.FromLabels("soak", inputs, values, labels, classes);
    }
}
