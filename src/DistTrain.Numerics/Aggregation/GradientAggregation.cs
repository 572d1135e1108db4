using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Aggregation;

/// <summary>
/// Coordinate-wise aggregation of one tensor's gradients from several replicas. All tensors have one shape; the result may be
/// one of them. In the median and the trimmed mean a replica's NaN counts as +∞, so that they outlive it.
/// </summary>
public static class GradientAggregation
{
    private const int MaxReplicas = 1024;

    // Values that a block of the sort holds, on the stack, and the most coordinates of a block.
    private const int SortedValues = 4096, MaxBlock = 512;

    /// <summary>The sum, added in replica order.</summary>
    public static void Sum<T>(ReadOnlySpan<TensorView<T>> replicas, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(replicas, result);
        const int block = 1024;
        Span<T> total = stackalloc T[block];
        for (int start = 0; start < result.Length; start += block)
        {
            int count = Math.Min(block, result.Length - start);
            Span<T> sum = total[..count];
            replicas[0].Span.Slice(start, count).CopyTo(sum);
            for (int r = 1; r < replicas.Length; r++)
            {
                TensorPrimitives.Add(sum, replicas[r].Span.Slice(start, count), sum);
            }

            sum.CopyTo(result.Span.Slice(start, count));
        }
    }

    /// <summary>
    /// The median; of an even number of replicas the mean of the two middle values (Yin et al. 2018, definition 1).
    /// </summary>
    public static void Median<T>(ReadOnlySpan<TensorView<T>> replicas, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(replicas, result);
        MiddleMean(replicas, (replicas.Length - 1) / 2, result);
    }

    /// <summary>
    /// The mean of what is left after dropping the <paramref name="trim"/> largest and smallest values (Yin et al. 2018,
    /// definition 2), added in ascending order. 2·trim must be below the number of replicas.
    /// </summary>
    public static void TrimmedMean<T>(ReadOnlySpan<TensorView<T>> replicas, int trim, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(replicas, result);
        if (trim < 0 || 2 * (long)trim >= replicas.Length)
        {
            throw new InvalidInputException(
                $"aggregate: trimming {trim} of {replicas.Length} replicas at both ends leaves none; " +
                $"trim from 0 to {(replicas.Length - 1) / 2}.");
        }

        MiddleMean(replicas, trim, result);
    }

    // The mean of sorted values trim … R−1−trim at each coordinate. The sort is an odd-even transposition network over the
    // replicas: the same exchanges at every coordinate, so whole blocks of coordinates are exchanged at once.
    private static void MiddleMean<T>(ReadOnlySpan<TensorView<T>> replicas, int trim, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = replicas.Length, kept = count - (2 * trim);
        int block = Math.Min(MaxBlock, SortedValues / count);
        Span<T> sorted = stackalloc T[count * block];
        Span<T> smaller = stackalloc T[block];
        for (int start = 0; start < result.Length; start += block)
        {
            int width = Math.Min(block, result.Length - start);
            for (int r = 0; r < count; r++)
            {
                ReadOnlySpan<T> values = replicas[r].Span.Slice(start, width);
                TensorPrimitives.MinNumber(values, T.PositiveInfinity, sorted.Slice(r * block, width));
            }

            for (int round = 0; round < count; round++)
            {
                for (int r = round & 1; r < count - 1; r += 2)
                {
                    Exchange(sorted.Slice(r * block, width), sorted.Slice((r + 1) * block, width), smaller[..width]);
                }
            }

            Span<T> output = result.Span.Slice(start, width);
            sorted.Slice(trim * block, width).CopyTo(output);
            for (int r = trim + 1; r < trim + kept; r++)
            {
                TensorPrimitives.Add(output, sorted.Slice(r * block, width), output);
            }

            TensorPrimitives.Divide(output, T.CreateChecked(kept), output);
        }
    }

    private static void Exchange<T>(Span<T> low, Span<T> high, Span<T> smaller)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorPrimitives.Min(low, high, smaller);
        TensorPrimitives.Max(low, high, high);
        smaller.CopyTo(low);
    }

    private static void Check<T>(ReadOnlySpan<TensorView<T>> replicas, TensorView<T> result)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfZero(replicas.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicas.Length, MaxReplicas);
        foreach (TensorView<T> replica in replicas)
        {
            if (replica.Rows != result.Rows || replica.Columns != result.Columns)
            {
                throw new ArgumentException(
                    $"A replica's gradient is {replica.Rows} x {replica.Columns}, the result {result.Rows} x {result.Columns}.");
            }
        }
    }
}
