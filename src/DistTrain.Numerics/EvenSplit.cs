namespace DistTrain.Numerics;

/// <summary>
/// Splits a run of items into contiguous parts whose sizes differ by at most one: how a step's rows go to replicas, and a
/// replica's rows to micro-batches. Parts may be empty when there are fewer items than parts.
/// </summary>
public static class EvenSplit
{
    /// <summary>First item and number of items of part <paramref name="index"/> of <paramref name="parts"/>.</summary>
    public static (int Start, int Count) Part(int items, int parts, int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(items);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parts);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)parts);
        if (parts == 1)
        {
            return (0, items);
        }

        int start = (int)((long)items * index / parts);
        int end = (int)((long)items * (index + 1) / parts);
        return (start, end - start);
    }
}
