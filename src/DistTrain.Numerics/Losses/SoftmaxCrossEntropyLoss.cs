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

    public override LossResult Evaluate(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, TensorView<T> signal, T rowWeight, ComputeScratch scratch)
    {
        if (output.Columns > CrossEntropyKernel<T>.ColumnsMax)
        {
            return base.Evaluate(preActivation, output, target, signal, rowWeight, scratch);
        }

        long mark = scratch.Mark;
        TensorView<double> work = scratch.Take<double>(2, output.Rows);
        Span<double> losses = work.Row(0), totals = work.Row(1);
        int correct = CrossEntropyKernel<T>.Rows(preActivation, output, target, losses, totals, VectorWidth.Best);
        double sum = 0;
        foreach (double loss in losses)
        {
            sum += loss;
        }

        if (!signal.IsNone)
        {
            Signal(output, target, totals, rowWeight, signal);
        }

        scratch.Release(mark);
        return new LossResult(sum, correct, output.Rows);
    }

    protected override void RowLosses(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, Span<double> losses, ComputeScratch scratch)
    {
        Span<double> shifted = scratch.Take<double>(1, output.Columns).Span, exp = scratch.Take<double>(1, output.Columns).Span;
        for (int row = 0; row < output.Rows; row++)
        {
            Shift(preActivation.Row(row), shifted);
            Elementwise.Exp<double>(shifted, exp);
            double sum = 0, log = 0;
            foreach (double value in exp)
            {
                sum += value;
            }

            Elementwise.Log(new ReadOnlySpan<double>(in sum), new Span<double>(ref log));
            losses[row] = Loss(target.Row(row), shifted, log);
        }
    }

    protected override void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal)
    {
        double total = 0;
        foreach (T value in t)
        {
            total += double.CreateTruncating(value);
        }

        Signal(y, t, total, weight, signal);
    }

    /// <summary>All rows' signals: at once where every row's targets add up to 1.</summary>
    private static void Signal(TensorView<T> output, TensorView<T> target, ReadOnlySpan<double> totals, T weight, TensorView<T> signal)
    {
        if (!totals.ContainsAnyExcept(1.0))
        {
            Elementwise.ScaledDifference<T>(output.Span, target.Span, weight, signal.Span);
            return;
        }

        for (int row = 0; row < totals.Length; row++)
        {
            Signal(output.Row(row), target.Row(row), totals[row], weight, signal.Row(row));
        }
    }

    private static void Signal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, double total, T weight, Span<T> signal)
    {
        T sum = T.CreateTruncating(total);
        for (int i = 0; i < y.Length; i++)
        {
            signal[i] = ((y[i] * sum) - t[i]) * weight;
        }
    }

    private static void Shift(ReadOnlySpan<T> s, Span<double> shifted)
    {
        T max = s[0];
        foreach (T value in s)
        {
            max = max < value ? value : max;
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
}
