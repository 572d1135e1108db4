using System.Numerics;

namespace DistTrain.Numerics.Losses;

/// <summary>factor · Σ (y − t)²; signal 2·factor·(y − t).</summary>
internal sealed class SquaredErrorLoss<T>(double factor) : RowwiseLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _slope = T.CreateChecked(2 * factor);

    protected override double RowLoss(ReadOnlySpan<T> s, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Span<double> work)
    {
        double sum = 0;
        for (int i = 0; i < y.Length; i++)
        {
            double error = double.CreateTruncating(y[i]) - double.CreateTruncating(t[i]);
            sum += error * error;
        }

        return factor * sum;
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        for (int i = 0; i < y.Length; i++)
        {
            signal[i] = _slope * (y[i] - t[i]) * weight;
        }
    }
}
