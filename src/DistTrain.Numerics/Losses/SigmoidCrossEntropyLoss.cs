using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Losses;

/// <summary>
/// −Σ (t ln y + (1 − t) ln(1 − y)) with y = sigmoid(s), from the pre-activations: Σ max(s, 0) − s t + ln(1 + exp(−|s|)).
/// Signal for s: y − t.
/// </summary>
internal sealed class SigmoidCrossEntropyLoss<T> : LossFunction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override bool IsFused => true;

    protected override double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work)
    {
        Span<double> exponent = work[..s.Length], exp = work.Slice(s.Length, s.Length);
        for (int i = 0; i < s.Length; i++)
        {
            exponent[i] = -Math.Abs(double.CreateTruncating(s[i]));
        }

        Elementwise.Exp<double>(exponent, exp);
        for (int i = 0; i < s.Length; i++)
        {
            exp[i] += 1;
        }

        Span<double> log = exponent;
        Elementwise.Log<double>(exp, log);
        double loss = 0;
        for (int i = 0; i < s.Length; i++)
        {
            double x = double.CreateTruncating(s[i]);
            loss += Math.Max(x, 0) - (x * double.CreateTruncating(t[i])) + log[i];
        }

        return loss;
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        for (int i = 0; i < y.Length; i++)
        {
            signal[i] = (y[i] - t[i]) * weight;
        }
    }
}
