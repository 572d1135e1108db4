using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// KATE's k-competitive layer (Chen and Zaki 2017, algorithm 1): z = tanh(x Wᵀ + b). In training the ⌈k/2⌉ largest positive and
/// the ⌊k/2⌋ most negative units win, at a tie the lower index; a winner gains α times the sum of the losers of its sign, losers
/// give 0. If a sign has fewer units than places, all of them win. In evaluation the output is z. The stash holds z.
/// </summary>
/// <remarks>
/// A training output is 0 exactly for units that did not win, because a winner and the sum that it gains have the same sign; so
/// the backward pass knows the winners from the output. A loser's gradient comes through the sum: α times the total signal of
/// its sign's winners. A unit with z = 0 has no sign and no gradient.
/// </remarks>
internal sealed class KCompetitiveLayer<T>(int index, int inputWidth, KCompetitiveSpec spec, AffineMap<T> affine)
    : Layer<T>(index, inputWidth, spec.Units)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _alpha = T.CreateChecked(spec.Alpha);
    private readonly int _positivePlaces = spec.K - (spec.K / 2), _negativePlaces = spec.K / 2;

    /// <inheritdoc/>
    public override int StashLength(int rows) => rows * OutputWidth;

    /// <inheritdoc/>
    public override void Forward(in ForwardPass<T> pass)
    {
        TensorView<T> z = pass.Stash.Slice(0, pass.Output.Rows, OutputWidth);
        affine.Forward(pass, z);
        Elementwise.Tanh<T>(z.Span, z.Span);
        if (!pass.Context.Training)
        {
            z.Span.CopyTo(pass.Output.Span);
            return;
        }

        long mark = pass.Scratch.Mark;
        Span<int> winners = pass.Scratch.Take<int>(1, _positivePlaces).Span;
        for (int row = 0; row < z.Rows; row++)
        {
            Compete(z.Row(row), pass.Output.Row(row), winners);
        }

        pass.Scratch.Release(mark);
    }

    /// <inheritdoc/>
    public override void Backward(in BackwardPass<T> pass)
    {
        ForwardPass<T> forward = pass.Forward;
        long mark = forward.Scratch.Mark;
        TensorView<T> delta = forward.Scratch.Take<T>(forward.Output.Rows, OutputWidth);
        TensorView<T> z = forward.Stash.Slice(0, delta.Rows, OutputWidth);
        for (int row = 0; row < z.Rows; row++)
        {
            Span<T> d = delta.Row(row);
            if (forward.Context.Training)
            {
                Share(z.Row(row), forward.Output.Row(row), pass.Signal.Row(row), d);
            }
            else
            {
                pass.Signal.Row(row).CopyTo(d);
            }

            Activations.TanhActivation<T>.Scale(z.Row(row), d, d);
        }

        affine.Backward(pass, delta);
        forward.Scratch.Release(mark);
    }

    private void Compete(ReadOnlySpan<T> z, Span<T> y, Span<int> winners)
    {
        // NaN loses every comparison; it must reach the output, where the check for finite values finds it.
        for (int i = 0; i < z.Length; i++)
        {
            y[i] = T.IsNaN(z[i]) ? z[i] : T.Zero;
        }

        Reward(z, y, T.One, winners[.._positivePlaces]);
        Reward(z, y, -T.One, winners[.._negativePlaces]);
    }

    // One sign's competition: sign·z > 0 takes part. An insertion sort keeps the best so far, largest first.
    private void Reward(ReadOnlySpan<T> z, Span<T> y, T sign, Span<int> winners)
    {
        int count = 0;
        T total = T.Zero;
        for (int i = 0; i < z.Length; i++)
        {
            T strength = sign * z[i];
            if (!(strength > T.Zero) || (count == winners.Length && (count == 0 || strength <= sign * z[winners[count - 1]])))
            {
                continue;
            }

            int place = count < winners.Length ? count++ : count - 1;
            for (; place > 0 && sign * z[winners[place - 1]] < strength; place--)
            {
                winners[place] = winners[place - 1];
            }

            winners[place] = i;
        }

        foreach (int winner in winners[..count])
        {
            y[winner] = z[winner];
        }

        for (int i = 0; i < z.Length; i++)
        {
            total += sign * z[i] > T.Zero && y[i] == T.Zero ? z[i] : T.Zero;
        }

        foreach (int winner in winners[..count])
        {
            y[winner] = T.FusedMultiplyAdd(_alpha, total, y[winner]);
        }
    }

    private void Share(ReadOnlySpan<T> z, ReadOnlySpan<T> y, ReadOnlySpan<T> signal, Span<T> delta)
    {
        T positive = T.Zero, negative = T.Zero;
        for (int i = 0; i < z.Length; i++)
        {
            positive += y[i] > T.Zero ? signal[i] : T.Zero;
            negative += y[i] < T.Zero ? signal[i] : T.Zero;
        }

        (positive, negative) = (_alpha * positive, _alpha * negative);
        for (int i = 0; i < z.Length; i++)
        {
            T loser = z[i] > T.Zero ? positive : z[i] < T.Zero ? negative : T.Zero;
            delta[i] = y[i] == T.Zero ? loser : signal[i];
        }
    }
}
