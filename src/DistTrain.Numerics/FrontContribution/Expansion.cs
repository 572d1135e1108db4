using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>The way back to a conventional layer: W = c·W₀ + Θᵀ E, and its velocity from those of Θ and c in the same
/// way.</summary>
public static class Expansion
{
    private const int BlockRows = 512;

    /// <summary>Writes scale·W₀ + Θᵀ E for each part, reading E and W₀ once.</summary>
    /// <param name="parts">What to expand: at most the weights and their velocity.</param>
    /// <param name="first">W₀: h′ × columns.</param>
    /// <param name="directions">E, at most F rows (further ones are 0): the training inputs or the basis; null where the
    /// basis is the identity.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers, or null.</param>
    public static void Write<T>(
        ReadOnlySpan<ExpansionPart<T>> parts, TensorView<T> first, IInputRows<T>? directions, ComputeScratch scratch, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(scratch);
        if (directions is null)
        {
            foreach (ExpansionPart<T> part in parts)
            {
                TensorPrimitives.Multiply(first.Span, part.Scale, part.Result.Span);
                AddTransposed(part.Theta, part.Result);
            }

            return;
        }

        ExpansionWork<T> work = new(parts, first);
        long mark = scratch.Mark;
        for (int start = 0; start < directions.Rows; start += BlockRows)
        {
            int count = Math.Min(BlockRows, directions.Rows - start);
            work.Add(start, directions.Read(start, count, scratch), fork ?? SerialForkJoin.Instance);
            scratch.Release(mark);
        }
    }

    private static void AddTransposed<T>(TensorView<T> theta, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int feature = 0; feature < theta.Rows; feature++)
        {
            Span<T> row = theta.Row(feature);
            for (int output = 0; output < row.Length; output++)
            {
                result.Row(output)[feature] += row[output];
            }
        }
    }
}
