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
    public override int StashWidth => OutputWidth;

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
        var positive = new Podium(pass.Scratch, _positivePlaces);
        var negative = new Podium(pass.Scratch, _negativePlaces);
        for (int row = 0; row < z.Rows; row++)
        {
            Compete(z.Row(row), pass.Output.Row(row), ref positive, ref negative);
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

    private void Compete(ReadOnlySpan<T> z, Span<T> y, ref Podium positive, ref Podium negative)
    {
        y.Clear();
        positive.Clear();
        negative.Clear();
        for (int i = 0; i < z.Length; i++)
        {
            T value = z[i];
            if (value > T.Zero)
            {
                positive.Offer(i, value);
            }
            else if (value < T.Zero)
            {
                negative.Offer(i, -value);
            }
            else
            {
                // Zero takes no part. Not-a-number must reach the output, where the check for finite values finds it.
                y[i] = value;
            }
        }

        positive.Mark(z, y);
        negative.Mark(z, y);
        T positiveLosers = T.Zero, negativeLosers = T.Zero;
        for (int i = 0; i < z.Length; i++)
        {
            T loser = y[i] == T.Zero ? z[i] : T.Zero;
            positiveLosers += T.Max(loser, T.Zero);
            negativeLosers += T.Min(loser, T.Zero);
        }

        positive.Reward(y, _alpha * positiveLosers);
        negative.Reward(y, _alpha * negativeLosers);
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

    /// <summary>
    /// The strongest units so far of one sign, strongest first, the earlier one first at a tie: an insertion sort.
    /// </summary>
    private ref struct Podium(ComputeScratch scratch, int places)
    {
        private readonly Span<int> _units = scratch.Take<int>(1, places).Span;
        private readonly Span<T> _strengths = scratch.Take<T>(1, places).Span;
        private int _count;

        // What a newcomer must exceed: nothing while places are free, and nobody can where there are none.
        private T _threshold;

        public void Clear() => (_count, _threshold) = (0, _units.IsEmpty ? T.PositiveInfinity : T.Zero);

        public void Offer(int unit, T strength)
        {
            if (strength <= _threshold)
            {
                return;
            }

            int place = _count < _units.Length ? _count++ : _count - 1;
            for (; place > 0 && _strengths[place - 1] < strength; place--)
            {
                (_units[place], _strengths[place]) = (_units[place - 1], _strengths[place - 1]);
            }

            (_units[place], _strengths[place]) = (unit, strength);
            if (_count == _units.Length)
            {
                _threshold = _strengths[_count - 1];
            }
        }

        public readonly void Mark(ReadOnlySpan<T> z, Span<T> y)
        {
            foreach (int unit in _units[.._count])
            {
                y[unit] = z[unit];
            }
        }

        public readonly void Reward(Span<T> y, T gain)
        {
            foreach (int unit in _units[.._count])
            {
                y[unit] += gain;
            }
        }
    }
}
