using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers.Activations;

/// <summary>y = s for s &gt; 0, slope·s otherwise, with one learned slope per layer (He et al. 2015, eq. 9 and 11).</summary>
internal sealed class PreluActivation<T> : Activation<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override bool NeedsPreActivation => true;

    public override void Forward(TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, ComputeScratch scratch)
        => ElementMap.Apply(new LeakyMap<T>(slope[0]), s.Span, s.Span, y.Span);

    public override void Backward(
        TensorView<T> s, TensorView<T> y, ReadOnlySpan<T> slope, TensorView<T> signal, TensorView<T> delta)
        => ElementMap.Apply(new LeakyMap<T>(slope[0]), s.Span, signal.Span, delta.Span);

    public override double SlopeGradient(TensorView<T> s, TensorView<T> signal)
    {
        double total = 0;
        for (int row = 0; row < s.Rows; row++)
        {
            Span<T> x = s.Row(row), g = signal.Row(row);
            double sum = 0;
            for (int i = 0; i < x.Length; i++)
            {
                if (x[i] <= T.Zero)
                {
                    sum += double.CreateTruncating(x[i]) * double.CreateTruncating(g[i]);
                }
            }

            total += sum;
        }

        return total;
    }
}
