namespace DistTrain.Data.Sources;

/// <summary>Copies rows of a row-major array.</summary>
internal static class RowCopy
{
    public static T[] Of<T>(ReadOnlySpan<T> values, int width, ReadOnlySpan<int> rows)
    {
        T[] copy = new T[rows.Length * width];
        for (int i = 0; i < rows.Length; i++)
        {
            values.Slice(rows[i] * width, width).CopyTo(copy.AsSpan(i * width, width));
        }

        return copy;
    }
}
