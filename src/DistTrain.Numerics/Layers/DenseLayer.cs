using System.Numerics;
using DistTrain.Numerics.Layers.Activations;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>y = f(x Wᵀ + b).</summary>
/// <param name="index">Position in the network.</param>
/// <param name="inputWidth">Columns of x.</param>
/// <param name="units">Columns of y.</param>
/// <param name="affine">x Wᵀ + b.</param>
/// <param name="activation">f.</param>
/// <param name="slope">Index of the learned slope among the stage's parameters, or −1.</param>
/// <param name="fused">Whether the loss reads the pre-activations and sends its signal for them instead of y.</param>
internal sealed class DenseLayer<T>(
    int index, int inputWidth, int units, AffineMap<T> affine, Activation<T> activation, int slope, bool fused)
    : Layer<T>(index, inputWidth, units)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly bool _keepsPreActivation = fused || activation.NeedsPreActivation;

    /// <inheritdoc/>
    public override int StashWidth => _keepsPreActivation ? OutputWidth : 0;

    /// <summary>What the layer is made of, if its weight is its own alone and has a gradient of its own shape; else null.</summary>
    public DenseParts<T>? Parts => affine is WeightMap<T> { IsPlain: true } map
        ? new DenseParts<T>(Index, InputWidth, OutputWidth, map.Weight, map.Bias, slope, activation, fused, _keepsPreActivation)
        : null;

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass)
    {
        TensorView<T> s = PreActivation(pass);
        affine.Forward(pass, s);
        activation.Forward(s, pass.Output, Slope(pass), pass.Scratch);
    }

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass)
    {
        if (fused || activation.IsIdentity)
        {
            affine.Backward(pass, pass.Signal);
            return;
        }

        ForwardPass<T> forward = pass.Forward;
        TensorView<T> s = PreActivation(forward);
        long mark = forward.Scratch.Mark;
        TensorView<T> delta = forward.Scratch.Take<T>(forward.Output.Rows, OutputWidth);
        activation.Backward(s, forward.Output, Slope(forward), pass.Signal, delta);
        if (slope >= 0)
        {
            activation.AddSlopeGradient(s, pass.Signal, pass.Gradients[slope], pass.Accumulate);
        }

        affine.Backward(pass, delta);
        forward.Scratch.Release(mark);
    }

    private TensorView<T> PreActivation(in ForwardPass<T> pass)
        => _keepsPreActivation ? pass.Stash.Slice(0, pass.Output.Rows, OutputWidth) : pass.Output;

    private ReadOnlySpan<T> Slope(in ForwardPass<T> pass) => slope < 0 ? default : pass.Parameters[slope].Span;
}
