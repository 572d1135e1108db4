using System.Numerics;
using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Learning;

/// <summary>
/// Difference target propagation (Lee et al. 2015): stages get targets t for their outputs h instead of signals, the first one a
/// small step down the loss, the others through learned inverses g of the stages behind, from a stage's output to its input.
/// Immutable; threads share it.
/// </summary>
public sealed class DifferenceTarget<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly AuxiliaryProgram<T>? _inverse;
    private readonly int _firstLayer;
    private readonly double _noise, _stepSize;

    internal DifferenceTarget(LocalRuleSpec spec)
    {
        NetworkSpec[] networks = AuxiliaryNetworks.Of(spec);
        _inverse = networks.Length == 0 ? null : new AuxiliaryProgram<T>(networks[0], LossKind.HalfSquaredError);
        (_firstLayer, _noise, _stepSize) = (spec.FirstLayer, spec.Noise, spec.StepSize);
    }

    /// <summary>
    /// Whether the stage has an inverse: not the first one, below which nothing needs a target, nor the last one, which gives its
    /// target by <see cref="TargetFromSignal"/>.
    /// </summary>
    public bool HasInverse => _inverse is not null;

    /// <summary>The target of the stage before: h_in + g(t) − g(h) (Lee et al. 2015, eq. 15).</summary>
    /// <param name="parameters">The inverse's, as <see cref="LocalRules.ParametersOf"/> lists them.</param>
    /// <param name="input">The stage's input h_in, rows × input width.</param>
    /// <param name="output">The stage's output h, rows × width.</param>
    /// <param name="target">The stage's target t, rows × width.</param>
    /// <param name="targetBelow">Receives the target of the input, rows × input width.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
    public void Target(
        ReadOnlySpan<TensorView<T>> parameters, TensorView<T> input, TensorView<T> output, TensorView<T> target,
        TensorView<T> targetBelow, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        AuxiliaryProgram<T> inverse = Inverse();
        long mark = scratch.Mark;
        TensorView<T> here = scratch.Take<T>(input.Rows, input.Columns);
        inverse.Forward(parameters, target, targetBelow, scratch, fork);
        inverse.Forward(parameters, output, here, scratch, fork);

        // The difference first: where t is h it is exactly 0, and the target exactly the input.
        TensorPrimitives.Subtract(targetBelow.Span, here.Span, targetBelow.Span);
        TensorPrimitives.Add(input.Span, targetBelow.Span, targetBelow.Span);
        scratch.Release(mark);
    }

    /// <summary>
    /// The signal that moves a stage's output towards its target: (h − t) · rowWeight / η̂, the gradient of ‖h − t‖² / (2η̂),
    /// weighted by row.
    /// </summary>
    /// <param name="output">The stage's output h, rows × width.</param>
    /// <param name="target">Its target t, rows × width.</param>
    /// <param name="signal">Receives the signal, rows × width; it may be one of the others.</param>
    /// <param name="rowWeight">1 / the rows of the whole step.</param>
    public void Signal(TensorView<T> output, TensorView<T> target, TensorView<T> signal, double rowWeight)
    {
        TensorPrimitives.Subtract(output.Span, target.Span, signal.Span);
        TensorPrimitives.Multiply(signal.Span, T.CreateChecked(rowWeight / _stepSize), signal.Span);
    }

    /// <summary>
    /// The first target: t = h − η̂ · signal / rowWeight, a step down the gradient of each row's own loss (Lee et al. 2015,
    /// eq. 13). <see cref="Signal"/> gives the same signal back, to rounding.
    /// </summary>
    /// <param name="value">The input h of the last stage, rows × input width.</param>
    /// <param name="signal">d(loss)/dh of that stage's backward pass, rows × input width.</param>
    /// <param name="target">Receives the target of the stage before, rows × input width; it may be one of the others.</param>
    /// <param name="rowWeight">1 / the rows of the whole step, as in the signal.</param>
    public void TargetFromSignal(TensorView<T> value, TensorView<T> signal, TensorView<T> target, double rowWeight)
    {
        T step = T.CreateChecked(-_stepSize / rowWeight);
        ReadOnlySpan<T> h = value.Span, g = signal.Span;
        Span<T> t = target.Span;
        for (int i = 0; i < t.Length; i++)
        {
            t[i] = T.FusedMultiplyAdd(g[i], step, h[i]);
        }
    }

    /// <summary>
    /// The gradients of rowWeight · ½ Σ ‖g(f(h̃)) − h̃‖² over the rows, f being the stage and h̃ its input with normal noise (Lee
    /// et al. 2015, eq. 14). The noise is a function of (seed, layer, step, sample, column).
    /// </summary>
    /// <param name="parameters">The inverse's.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="stageParameters">The stage's; they get no gradient.</param>
    /// <param name="input">The stage's input, rows × input width.</param>
    /// <param name="gradients">One for each of the inverse's parameters.</param>
    /// <param name="accumulate">Whether to add to the gradients instead of overwriting them.</param>
    /// <param name="rowWeight">1 / the rows of the whole step.</param>
    /// <param name="context">As in the stage's forward pass.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone. Never changes a bit.</param>
    /// <returns>½ Σ ‖g(f(h̃)) − h̃‖², added in double precision in row order.</returns>
    public double FitInverse(
        ReadOnlySpan<TensorView<T>> parameters, StageProgram<T> stage, ReadOnlySpan<TensorView<T>> stageParameters,
        TensorView<T> input, ReadOnlySpan<TensorView<T>> gradients, bool accumulate, double rowWeight, in PassContext context,
        ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(stage);
        ArgumentNullException.ThrowIfNull(scratch);
        AuxiliaryProgram<T> inverse = Inverse();
        int rows = input.Rows;
        long mark = scratch.Mark;
        TensorView<T> noisy = scratch.Take<T>(rows, stage.InputWidth), output = scratch.Take<T>(rows, stage.OutputWidth);
        TensorView<T> stash = scratch.Take<T>(1, stage.StashLength(rows));
        AddNoise(input, noisy, context);
        stage.Forward(new StagePass<T>(stageParameters, noisy, output, stash, context, scratch, fork));
        LossResult result = inverse.Learn(
            parameters, output, noisy, default, gradients, accumulate, rowWeight, scratch, fork);
        scratch.Release(mark);
        return result.LossSum;
    }

    private AuxiliaryProgram<T> Inverse()
        => _inverse ?? throw new InvalidOperationException("The first and the last stage have no inverse.");

    private void AddNoise(TensorView<T> values, TensorView<T> noisy, in PassContext context)
    {
        for (int row = 0; row < values.Rows; row++)
        {
            var random = new RandomStream(
                context.Seed, RandomPurpose.InverseNoise, _firstLayer, step: context.Step,
                sample: (long)context.FirstSample + row);
            Span<T> from = values.Row(row), to = noisy.Row(row);
            for (int i = 0; i < from.Length; i++)
            {
                to[i] = _noise == 0 ? from[i] : from[i] + T.CreateTruncating(_noise * random.Normal(i));
            }
        }
    }
}
