using System.Numerics;

namespace DistTrain.Data.Features;

/// <summary>Compressed sparse rows: row r's values are those from starts[r] to starts[r+1].</summary>
/// <param name="starts">Rows + 1 positions.</param>
/// <param name="indices">Column of each stored value, ascending within a row.</param>
/// <param name="values">Stored values.</param>
/// <param name="background">What an absent value is in each column; empty for 0.</param>
/// <param name="columns">Number of columns.</param>
internal sealed class SparseFeatures<T>(int[] starts, int[] indices, T[] values, T[] background, int columns)
    : FeatureStore<T>(starts.Length - 1, columns)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override void CopyRow(int row, Span<T> destination)
    {
        RequireRow(row);
        if (background.Length == 0)
        {
            destination.Clear();
        }
        else
        {
            background.CopyTo(destination);
        }

        for (int i = starts[row]; i < starts[row + 1]; i++)
        {
            destination[indices[i]] = values[i];
        }
    }
}
