using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Engines.Shared.Front;

/// <summary>Each tensor's part of the gradient's squared norm, as clipping needs it: that of the conventional network.</summary>
internal static class ContributedNorm
{
    /// <summary>
    /// The squared norm of a gradient. In the Gram form Θ's own does not count: the norm of what it stands for is in the
    /// place of the scale's gradient.
    /// </summary>
    public static double Of<T>(NetworkSpec network, ParameterSpec parameter, TensorView<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (network.Layers[0] is ContributedSpec { Scatter: true })
        {
            if (ContributedSpec.IsTheta(parameter))
            {
                return 0;
            }

            if (ContributedSpec.IsScale(parameter))
            {
                return double.CreateChecked(gradient.Span[0]);
            }
        }

        return Elementwise.SumOfSquares<T>(gradient.Span);
    }

    /// <summary>The scale's gradient.</summary>
    public static TensorView<T> Zero<T>(ComputeScratch scratch)
        where T : unmanaged
    {
        TensorView<T> zero = scratch.Take<T>(1, 1);
        zero.Span.Clear();
        return zero;
    }

    /// <summary>Makes the scale's gradient 0 again, once what was in its place has been read.</summary>
    public static void Clear<T>(IReadOnlyList<ParameterSpec> parameters, ReadOnlySpan<TensorView<T>> gradients)
        where T : unmanaged
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            if (ContributedSpec.IsScale(parameters[i]))
            {
                gradients[i].Span.Clear();
            }
        }
    }
}
