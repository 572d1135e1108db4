using System.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Losses;

/// <summary>A loss over rows. Row losses are computed and added in double precision, in row order. Immutable.</summary>
internal abstract class LossFunction<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Whether the loss reads pre-activations and gives the signal for them.</summary>
    public virtual bool IsFused => false;

    /// <summary>The loss with the form that goes with the network's last layer.</summary>
    public static LossFunction<T> For(LossKind kind, LayerSpec last) => (kind, last) switch
    {
        (LossKind.HalfSquaredError, _) => new SquaredErrorLoss<T>(0.5),
        (LossKind.SquaredError, _) => new SquaredErrorLoss<T>(1),
        (LossKind.CrossEntropy, DenseSpec { Activation: ActivationKind.Softmax }) => new SoftmaxCrossEntropyLoss<T>(),
        (LossKind.BinaryCrossEntropy, DenseSpec { Activation: ActivationKind.Sigmoid }) => new SigmoidCrossEntropyLoss<T>(),
        (LossKind.BinaryCrossEntropy, _) => new BinaryCrossEntropyLoss<T>(),
        _ => throw new InvalidInputException("loss: cross-entropy needs a last layer that is dense with activation softmax."),
    };

    /// <summary>Losses and, unless <paramref name="signal"/> is none, the signal times <paramref name="rowWeight"/>.</summary>
    public virtual LossResult Evaluate(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, TensorView<T> signal, T rowWeight,
        ComputeScratch scratch)
    {
        double sum = 0;
        int correct = 0;
        long mark = scratch.Mark;
        Span<double> losses = scratch.Take<double>(1, output.Rows).Span;
        RowLosses(preActivation, output, target, losses, scratch);
        for (int row = 0; row < output.Rows; row++)
        {
            ReadOnlySpan<T> y = output.Row(row), t = target.Row(row);
            sum += losses[row];
            correct += IsCorrect(y, t) ? 1 : 0;
            if (!signal.IsNone)
            {
                RowSignal(y, t, rowWeight, signal.Row(row));
            }
        }

        scratch.Release(mark);
        return new LossResult(sum, correct, output.Rows);
    }

    /// <summary>Every row's loss. Pre-activations are there if the loss is fused.</summary>
    protected abstract void RowLosses(
        TensorView<T> preActivation, TensorView<T> output, TensorView<T> target, Span<double> losses, ComputeScratch scratch);

    /// <summary>One row's signal.</summary>
    protected abstract void RowSignal(ReadOnlySpan<T> y, ReadOnlySpan<T> t, T weight, Span<T> signal);

    /// <summary>Whether output and target say the same class: by their largest value, or by ½ where there is one.</summary>
    protected static bool IsCorrect(ReadOnlySpan<T> y, ReadOnlySpan<T> t)
    {
        if (y.Length == 1)
        {
            T half = T.CreateChecked(0.5);
            return (y[0] > half) == (t[0] > half);
        }

        return FirstMaximum(y) == FirstMaximum(t);
    }

    private static int FirstMaximum(ReadOnlySpan<T> values)
    {
        int best = 0;
        T largest = values[0];
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] > largest)
            {
                (best, largest) = (i, values[i]);
            }
        }

        return best;
    }
}
