using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = s for s &gt; 0, slope·s otherwise, with a fixed slope (Maas et al. 2013).</summary>
internal sealed class LeakyReluActivation<T>(double slope) : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly LeakyMap<T> _map = new(T.CreateChecked(slope));

    // With a negative slope y is positive on both sides, so its sign no longer tells the side of s.
    public override bool NeedsPreActivation => slope < 0;

    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => ElementMap.Apply(_map, s.Span, s.Span, y.Span);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementMap.Apply(_map, NeedsPreActivation ? s.Span : y.Span, signal.Span, delta.Span);
}
