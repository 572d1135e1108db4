using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Losses;

/// <summary>
/// −Σ (t ln y + (1 − t) ln(1 − y)) with y = sigmoid(s), from the pre-activations: Σ max(s, 0) − s t + ln(1 + exp(−|s|)).
/// Signal for s: y − t.
/// </summary>
internal sealed class SigmoidCrossEntropyLoss<T> : RowwiseLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Factors lie in [1, 2], so the product of a group stays below 2^512.
    private const int GroupLength = 512;

    public override bool IsFused => true;

    protected override double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work)
    {
        Span<double> x = work[..s.Length], exp = work.Slice(s.Length, s.Length);
        TensorPrimitives.ConvertTruncating<T, double>(s, x);
        TensorPrimitives.Abs<double>(x, exp);
        TensorPrimitives.Negate<double>(exp, exp);
        Elementwise.Exp<double>(exp, exp);
        double loss = 0;
        for (int start = 0; start < s.Length; start += GroupLength)
        {
            int count = Math.Min(GroupLength, s.Length - start);
            loss += LinearPart(x.Slice(start, count), t.Slice(start, count)) + LogarithmicPart(exp.Slice(start, count));
        }

        return loss;
    }

    private static double LinearPart(ReadOnlySpan<double> x, ReadOnlySpan<T> t)
    {
        double sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            sum += (x[i] > 0 ? x[i] : 0) - (x[i] * double.CreateTruncating(t[i]));
        }

        return sum;
    }

    // Σ ln(1 + e) = ln Π (1 + e): one logarithm a group instead of one an element.
    private static double LogarithmicPart(ReadOnlySpan<double> exp)
    {
        double even = 1, odd = 1;
        for (int i = 0; i < exp.Length - 1; i += 2)
        {
            even *= 1 + exp[i];
            odd *= 1 + exp[i + 1];
        }

        if ((exp.Length & 1) != 0)
        {
            even *= 1 + exp[^1];
        }

        double product = even * odd, log = 0;
        Elementwise.Log(new ReadOnlySpan<double>(in product), new Span<double>(ref log));
        return log;
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        TensorPrimitives.Subtract(y, t, signal);
        TensorPrimitives.Multiply(signal, weight, signal);
    }
}
