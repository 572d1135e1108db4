using System.Numerics;
using DistTrain.Numerics.Aggregation;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Shared;

/// <summary>The rules that make one gradient of several, as the settings name them.</summary>
internal static class ReplicaAggregation
{
    /// <summary>Whether they are added up, which an update can do as it goes.</summary>
    public static bool IsSum(ParameterServerSettings server) => server.Aggregate == Aggregate.Mean;

    /// <summary>Combines one tensor's gradients, each 1 × length, coordinate by coordinate. Krum chooses a whole
    /// contribution instead.</summary>
    public static void Combine<T>(ParameterServerSettings server, ReadOnlySpan<TensorView<T>> replicas, TensorView<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (server.Aggregate)
        {
            case Aggregate.Median:
                GradientAggregation.Median(replicas, result);
                break;
            case Aggregate.TrimmedMean:
                GradientAggregation.TrimmedMean(replicas, server.ByzantineMax, result);
                break;
            default:
                GradientAggregation.Sum(replicas, result);
                break;
        }
    }

    /// <summary>
    /// PyTorch's clip_grad_norm_: the factor that brings a gradient of this squared norm to at most
    /// <paramref name="clipNorm"/>. The small term keeps a
    /// gradient of zero from a division by zero.
    /// </summary>
    public static double ClippingFactor(double squaredNorm, double clipNorm) => Math.Min(1, clipNorm / (Math.Sqrt(squaredNorm) + 1e-6));
}
