using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Losses;

/// <summary>factor · Σ (y − t)²; signal 2·factor·(y − t).</summary>
internal sealed class SquaredErrorLoss<T>(double factor) : RowwiseLoss<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T _slope = T.CreateChecked(2 * factor);

    /// <summary>One pass over the rows: the methods of this class are known here and called without a detour, which is most of the time for a single output.</summary>
    public override LossResult Evaluate(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, TensorView<T> signal, T rowWeight,
        ComputeScratch scratch)
    {
        double sum = 0;
        int correct = 0;
        for (int row = 0; row < output.Rows; row++)
        {
            ReadOnlySpan<T> y = output.Row(row), t = target.Row(row);
            sum += RowLoss(default, y, t, default);
            correct += IsCorrect(y, t) ? 1 : 0;
        }

        if (!signal.IsNone)
        {
            // Value by value, so that rows can be taken for one.
            RowSignal(output.Span, target.Span, rowWeight, signal.Span);
        }

        return new LossResult(sum, correct, output.Rows);
    }

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
