using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Losses;

/// <summary>
/// −Σ t ln softmax(s), from the pre-activations: Σ t·(ln Σ exp(s − max) + max − s), which neither overflows nor takes the
/// logarithm of a rounded 0. Signal for s: y Σt − t, which is y − t for targets that add up to 1.
/// </summary>
internal sealed class SoftmaxCrossEntropyLoss<T> : LossFunction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override bool IsFused => true;

    protected override double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work)
    {
        Span<double> shifted = work[..s.Length], exp = work.Slice(s.Length, s.Length);
        double max = double.NegativeInfinity;
        foreach (T value in s)
        {
            max = Math.Max(max, double.CreateTruncating(value));
        }

        for (int i = 0; i < s.Length; i++)
        {
            shifted[i] = double.CreateTruncating(s[i]) - max;
        }

        Elementwise.Exp<double>(shifted, exp);
        double sum = 0;
        foreach (double value in exp)
        {
            sum += value;
        }

        double log = 0;
        Elementwise.Log(new ReadOnlySpan<double>(in sum), new Span<double>(ref log));
        double loss = 0;
        for (int i = 0; i < t.Length; i++)
        {
            if (t[i] != T.Zero)
            {
                loss += double.CreateTruncating(t[i]) * (log - shifted[i]);
            }
        }

        return loss;
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        T total = T.Zero;
        foreach (T value in t)
        {
            total += value;
        }

        for (int i = 0; i < y.Length; i++)
        {
            signal[i] = ((y[i] * total) - t[i]) * weight;
        }
    }
}
