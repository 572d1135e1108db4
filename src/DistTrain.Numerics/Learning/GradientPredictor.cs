using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>
/// A model M of the signal that a stage will get, from its output h and, if conditioned, the target y (synthetic gradients;
/// Jaderberg et al. 2017, Czarnecki et al. 2017): dense hidden layers, then a linear one. M works with the gradient of a row's
/// own loss, so that neither it nor its error depends on how many rows a step has. Immutable; threads share it.
/// </summary>
public sealed class GradientPredictor<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AuxiliaryProgram<T> _model;
    private readonly bool _conditioned;
    private readonly double? _fitRate;

    internal GradientPredictor(NetworkSpec model, bool conditioned, double? fitRate)
        => (_model, _conditioned, _fitRate) = (new AuxiliaryProgram<T>(model, LossKind.HalfSquaredError), conditioned, fitRate);

    /// <summary>signal = rowWeight · M(h[, y]).</summary>
    /// <param name="parameters">As <see cref="LocalRules.ParametersOf"/> lists them.</param>
    /// <param name="output">The stage's output h, rows × width.</param>
    /// <param name="target">Rows × the network's outputs; none when not conditioned.</param>
    /// <param name="signal">Receives the prediction, rows × width.</param>
    /// <param name="rowWeight">1 / the rows of the whole step.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
    public void Predict(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> output, TensorView<T> target, TensorView<T> signal,
        double rowWeight, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        long mark = scratch.Mark;
        _model.Forward(parameters, Inputs(output, target, scratch), signal, scratch, fork);
        TensorPrimitives.Multiply(signal.Span, T.CreateChecked(rowWeight), signal.Span);
        scratch.Release(mark);
    }

    /// <summary>
    /// The gradients of rowWeight · ½ Σ ‖M(h[, y]) − trueSignal / rowWeight‖² over the rows; where the rule has a fit rate c, times
    /// c / (1 + mean ‖[h, y]‖²), as normalized least mean squares (Nagumo and Noda 1967) divide by the input's power: the
    /// curvature of a linear M is that power, which grows with the width, while one learning rate serves all of a network.
    /// </summary>
    /// <param name="parameters">As <see cref="LocalRules.ParametersOf"/> lists them.</param>
    /// <param name="output">The stage's output h, rows × width, of the rows that the signal is for.</param>
    /// <param name="target">Rows × the network's outputs; none when not conditioned.</param>
    /// <param name="trueSignal">What the stage behind sent, rows × width.</param>
    /// <param name="gradients">One for each parameter.</param>
    /// <param name="accumulate">Whether to add to the gradients instead of overwriting them.</param>
    /// <param name="rowWeight">1 / the rows of the whole step, as in the true signal.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
    /// <returns>½ Σ ‖M(h[, y]) − trueSignal / rowWeight‖², added in double precision in row order.</returns>
    public double Fit(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> output, TensorView<T> target, TensorView<T> trueSignal,
        ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        long mark = scratch.Mark;
        TensorView<T> wanted = scratch.Take<T>(output.Rows, _model.OutputWidth);
        TensorPrimitives.Divide(trueSignal.Span, T.CreateChecked(rowWeight), wanted.Span);
        TensorView<T> inputs = Inputs(output, target, scratch);
        double rate = _fitRate is double c ? c / (1 + MeanPower(inputs)) : 1;
        LossResult result = _model.Learn(parameters, inputs, wanted, default, gradients, accumulate, rate * rowWeight, scratch, fork);
        scratch.Release(mark);
        return result.LossSum;
    }

    /// <summary>Mean ‖row‖², rows added in order.</summary>
    private static double MeanPower(TensorView<T> values)
    {
        double sum = 0;
        for (int row = 0; row < values.Rows; row++)
        {
            sum += Elementwise.SumOfSquares<T>(values.Row(row));
        }

        return values.Rows == 0 ? 0 : sum / values.Rows;
    }

    private TensorView<T> Inputs(TensorView<T> output, TensorView<T> target, ComputeScratch scratch)
    {
        if (!_conditioned)
        {
            return output;
        }

        TensorView<T> inputs = scratch.Take<T>(output.Rows, _model.InputWidth);
        for (int row = 0; row < inputs.Rows; row++)
        {
            Span<T> to = inputs.Row(row);
            output.Row(row).CopyTo(to);
            target.Row(row).CopyTo(to[output.Columns..]);
        }

        return inputs;
    }
}
