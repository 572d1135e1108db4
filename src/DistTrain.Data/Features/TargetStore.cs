using System.Numerics;

namespace DistTrain.Data.Features;

/// <summary>What rows should give.</summary>
/// <param name="Width">Values of one target; null when the inputs are the targets.</param>
/// <param name="Labels">Class of each row, or null.</param>
/// <param name="ClassNames">Name of each class, or null.</param>
/// <param name="Vectors">Rows × Width values; null when targets are one-hot or the inputs.</param>
internal sealed record TargetStore<T>(int? Width, int[]? Labels, IReadOnlyList<string>? ClassNames, T[]? Vectors)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes 1 at a row's class and 0 elsewhere.</summary>
    public void CopyOneHot(int row, Span<T> destination)
    {
        destination.Clear();
        destination[Labels![row]] = T.One;
    }
}
