using System.Numerics;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// y_j = max over pieces p of s_{j·pieces+p}, s = x Wᵀ + b (Goodfellow et al. 2013). The first piece wins a tie and gets the
/// whole gradient; NaN wins over everything. The stash holds the winners' piece numbers.
/// </summary>
internal sealed class MaxoutLayer<T>(int index, int inputWidth, int units, int pieces, AffineMap<T> affine)
    : Layer<T>(index, inputWidth, units)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override int StashWidth => OutputWidth;

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass)
    {
        long mark = pass.Scratch.Mark;
        TensorView<T> s = pass.Scratch.Take<T>(pass.Output.Rows, OutputWidth * pieces);
        affine.Forward(pass, s);
        Span<T> values = s.Span, y = pass.Output.Span, winners = pass.Stash.Span;
        for (int j = 0; j < y.Length; j++)
        {
            ReadOnlySpan<T> group = values.Slice(j * pieces, pieces);
            int winner = 0;
            for (int p = 1; p < group.Length; p++)
            {
                if (group[p] > group[winner] || T.IsNaN(group[p]))
                {
                    winner = p;
                }
            }

            y[j] = group[winner];
            winners[j] = T.CreateTruncating(winner);
        }

        pass.Scratch.Release(mark);
    }

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass)
    {
        ForwardPass<T> forward = pass.Forward;
        long mark = forward.Scratch.Mark;
        TensorView<T> delta = forward.Scratch.Take<T>(forward.Output.Rows, OutputWidth * pieces);
        Span<T> values = delta.Span, winners = forward.Stash.Span, signal = pass.Signal.Span;
        values.Clear();
        for (int j = 0; j < winners.Length; j++)
        {
            values[(j * pieces) + int.CreateTruncating(winners[j])] = signal[j];
        }

        affine.Backward(pass, delta);
        forward.Scratch.Release(mark);
    }
}
