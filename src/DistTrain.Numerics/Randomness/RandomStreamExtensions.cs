using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Randomness;

/// <summary>Other distributions over a <see cref="RandomStream"/>.</summary>
public static class RandomStreamExtensions
{
    /// <summary>
    /// Element <paramref name="index"/>, standard normal by inversion, so one element of the stream gives one number, the same
    /// on every machine. Its magnitude is below 8.21.
    /// </summary>
    public static double Normal(this RandomStream stream, long index) =>
        NormalDistribution.Quantile(((stream.UInt64(index) >> 12) + 0.5) * (1.0 / (1UL << 52)));
}
