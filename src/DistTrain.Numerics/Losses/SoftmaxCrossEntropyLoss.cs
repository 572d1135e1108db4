using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Losses;

/// <summary>
/// −Σ t ln softmax(s), from the pre-activations: Σ t·(ln Σ exp(s − max) + max − s), which neither overflows nor takes the
/// logarithm of a rounded 0. Signal for s: y Σt − t, which is y − t for targets that add up to 1.
/// </summary>
internal sealed class SoftmaxCrossEntropyLoss<T> : LossFunction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public override bool IsFused => true;

    protected override void RowLosses(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, Span<double> losses, ComputeScratch scratch)
    {
        // All rows' exponentials in one call: networks often have few classes, too few to fill a vector with one row's.
        TensorView<double> shifted = scratch.Take<double>(output.Rows, output.Columns), exp = scratch.Take<double>(output.Rows, output.Columns);
        for (int row = 0; row < output.Rows; row++)
        {
            Shift(preActivation.Row(row), shifted.Row(row));
        }

        Elementwise.Exp<double>(shifted.Span, exp.Span);
        Span<double> sums = exp.Span[..output.Rows];
        for (int row = 0; row < output.Rows; row++)
        {
            double sum = 0;
            foreach (double value in exp.Row(row))
            {
                sum += value;
            }

            // A row's sum takes the place of an exponential that has been added already.
            sums[row] = sum;
        }

        Elementwise.Log<double>(sums, losses);
        for (int row = 0; row < output.Rows; row++)
        {
            losses[row] = Loss(target.Row(row), shifted.Row(row), losses[row]);
        }
    }

    private static void Shift(ReadOnlySpan<T> s, Span<double> shifted)
    {
        T max = T.NegativeInfinity;
        foreach (T value in s)
        {
            max = T.Max(max, value);
        }

        double widened = double.CreateTruncating(max);
        for (int i = 0; i < s.Length; i++)
        {
            shifted[i] = double.CreateTruncating(s[i]) - widened;
        }
    }

    private static double Loss(ReadOnlySpan<T> t, ReadOnlySpan<double> shifted, double log)
    {
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
