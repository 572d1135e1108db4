using System.Numerics;
using DistTrain.Numerics.Kernels;

namespace DistTrain.Numerics.Losses;

/// <summary>
/// −Σ (t ln y + (1 − t) ln(1 − y)) from the outputs, for layers that it cannot be fused with. As in PyTorch's BCELoss a logarithm
/// is at least −100, and the signal's denominator y (1 − y) at least 1e-12, so that a saturated output gives finite values.
/// </summary>
internal sealed class BinaryCrossEntropyLoss<T> : RowwiseLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double SmallestLogarithm = -100;
    private static readonly T SmallestDenominator = T.CreateChecked(1e-12);

    protected override double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work)
    {
        for (int i = 0; i < y.Length; i++)
        {
            work[i] = double.CreateTruncating(y[i]);
            work[y.Length + i] = 1 - work[i];
        }

        Elementwise.Log<double>(work, work);
        double loss = 0;
        for (int i = 0; i < y.Length; i++)
        {
            double target = double.CreateTruncating(t[i]);
            loss -= (target * Math.Max(work[i], SmallestLogarithm))
                + ((1 - target) * Math.Max(work[y.Length + i], SmallestLogarithm));
        }

        return loss;
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        for (int i = 0; i < y.Length; i++)
        {
            T denominator = T.Max(y[i] * (T.One - y[i]), SmallestDenominator);
            signal[i] = (y[i] - t[i]) / denominator * weight;
        }
    }
}
