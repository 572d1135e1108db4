using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Aggregation;

/// <summary>
/// Krum (Blanchard et al. 2017): of R gradients, at most f of them byzantine, take the one whose R − f − 2 nearest neighbours are
/// nearest. Distances add over tensors, so each shard computes those of its tensors and one place adds them and selects.
/// </summary>
public static class Krum
{
    private const int Lanes = 4;
    private const int MaxReplicas = 1024;

    /// <summary>
    /// Writes ‖g_i − g_j‖² for all pairs into the R×R matrix <paramref name="distances"/>, row by row: differences and sums in
    /// double precision, element e in partial sum e % 4, the partial sums added as (0 + 1) + (2 + 3).
    /// </summary>
    public static void PairwiseSquaredDistances<T>(ReadOnlySpan<TensorView<T>> replicas, Span<double> distances)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int count = replicas.Length;
        ArgumentOutOfRangeException.ThrowIfNotEqual(distances.Length, count * count);
        for (int i = 0; i < count; i++)
        {
            distances[(i * count) + i] = 0;
            for (int j = i + 1; j < count; j++)
            {
                double distance = SquaredDistance<T>(replicas[i].Span, replicas[j].Span);
                distances[(i * count) + j] = distances[(j * count) + i] = distance;
            }
        }
    }

    /// <summary>
    /// Index of the selected replica; the lowest at a tie. A distance that is not a number counts as infinite, so a replica that
    /// sends NaN is never chosen while another one is finite.
    /// </summary>
    /// <param name="distances">R×R squared distances over the whole model.</param>
    /// <param name="replicas">R.</param>
    /// <param name="byzantine">f, at least 0; R must be at least 2f + 3.</param>
    /// <exception cref="InvalidInputException">Too few replicas for that many byzantine ones.</exception>
    public static int Select(ReadOnlySpan<double> distances, int replicas, int byzantine)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(distances.Length, checked(replicas * replicas));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicas, MaxReplicas);
        if (byzantine < 0 || replicas < (2 * (long)byzantine) + 3)
        {
            throw new InvalidInputException(
                $"aggregate: krum against {byzantine} byzantine replicas needs at least 2 · {byzantine} + 3 " +
                $"replicas, not {replicas}.");
        }

        Span<double> others = stackalloc double[replicas - 1];
        int neighbours = replicas - byzantine - 2, best = 0;
        double bestScore = double.NaN;
        for (int i = 0; i < replicas; i++)
        {
            ReadOnlySpan<double> row = distances.Slice(i * replicas, replicas);
            int count = 0;
            for (int j = 0; j < replicas; j++)
            {
                if (j != i)
                {
                    others[count++] = double.IsNaN(row[j]) ? double.PositiveInfinity : row[j];
                }
            }

            others.Sort();
            double score = 0;
            foreach (double distance in others[..neighbours])
            {
                score += distance;
            }

            if (i == 0 || score < bestScore)
            {
                (best, bestScore) = (i, score);
            }
        }

        return best;
    }

    private static double SquaredDistance<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
        int i = 0;
        for (; i < (a.Length & -Lanes); i += Lanes)
        {
            sum0 = AddSquare(a[i], b[i], sum0);
            sum1 = AddSquare(a[i + 1], b[i + 1], sum1);
            sum2 = AddSquare(a[i + 2], b[i + 2], sum2);
            sum3 = AddSquare(a[i + 3], b[i + 3], sum3);
        }

        sum0 = i < a.Length ? AddSquare(a[i], b[i], sum0) : sum0;
        sum1 = i + 1 < a.Length ? AddSquare(a[i + 1], b[i + 1], sum1) : sum1;
        sum2 = i + 2 < a.Length ? AddSquare(a[i + 2], b[i + 2], sum2) : sum2;
        return (sum0 + sum1) + (sum2 + sum3);
    }

    private static double AddSquare<T>(T a, T b, double sum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        double difference = double.CreateTruncating(a) - double.CreateTruncating(b);
        return Math.FusedMultiplyAdd(difference, difference, sum);
    }
}
