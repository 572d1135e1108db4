using System.Numerics;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// Inverted dropout (Srivastava et al. 2014): in training each value is 0 with probability rate and divided by 1 − rate
/// otherwise; in evaluation the identity. The mask is a function of (seed, layer, step, sample, column), so the backward pass
/// draws it again.
/// </summary>
internal sealed class DropoutLayer<T>(int index, int width, double rate) : Layer<T>(index, width, width)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _scale = T.CreateChecked(1 / (1 - rate));

    // Each 64-bit random number serves two columns, its low half first: drawing is what this layer's time goes into.
    private readonly ulong _threshold = (ulong)(rate * (1UL << 32));

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass) => Mask(pass.Context, pass.Input, pass.Output);

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass)
    {
        if (!pass.InputSignal.IsNone)
        {
            Mask(pass.Forward.Context, pass.Signal, pass.InputSignal);
        }
    }

    /// <summary>Applies a pass's mask and scale; the result may be the values themselves.</summary>
    public void Mask(in PassContext context, TensorView<T> from, TensorView<T> to)
    {
        if (!context.Training)
        {
            from.Span.CopyTo(to.Span);
            return;
        }

        for (int row = 0; row < from.Rows; row++)
        {
            var random = new RandomStream(
                context.Seed, RandomPurpose.Dropout, Index, step: context.Step, sample: (long)context.FirstSample + row);
            Span<T> source = from.Row(row), result = to.Row(row);
            ulong bits = 0;
            for (int i = 0; i < source.Length; i++)
            {
                bits = (i & 1) == 0 ? random.UInt64(i >> 1) : bits >> 32;
                result[i] = (uint)bits < _threshold ? T.Zero : source[i] * _scale;
            }
        }
    }
}
