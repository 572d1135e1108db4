using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Aggregation;

/// <summary>
/// Coordinate-wise aggregation of one tensor's gradients from several replicas. All tensors have one shape; the result may be
/// one of them. A replica's NaN counts as the largest value, so that the median and the trimmed mean outlive it.
/// </summary>
public static class GradientAggregation
{
    private const int MaxReplicas = 1024;

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

    /// <summary>The median; of an even number of replicas the mean of the two middle values (Yin et al. 2018, definition 1).</summary>
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

    // The mean of sorted values trim … R−1−trim at each coordinate; an insertion sort is the fastest for so few values.
    private static void MiddleMean<T>(ReadOnlySpan<TensorView<T>> replicas, int trim, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = replicas.Length, kept = count - (2 * trim);
        T divisor = T.CreateChecked(kept);
        Span<T> sorted = stackalloc T[count];
        Span<T> output = result.Span;
        for (int i = 0; i < output.Length; i++)
        {
            for (int r = 0; r < count; r++)
            {
                Insert(sorted, r, replicas[r].Span[i]);
            }

            T sum = T.Zero;
            foreach (T value in sorted.Slice(trim, kept))
            {
                sum += value;
            }

            output[i] = sum / divisor;
        }
    }

    private static void Insert<T>(Span<T> sorted, int count, T value)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int place = count;
        for (; place > 0 && IsLess(value, sorted[place - 1]); place--)
        {
            sorted[place] = sorted[place - 1];
        }

        sorted[place] = value;
    }

    private static bool IsLess<T>(T a, T b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => a < b || (T.IsNaN(b) && !T.IsNaN(a));

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
