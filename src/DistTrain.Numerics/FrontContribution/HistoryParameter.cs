using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>A layer's history as a parameter: its start, its update, the way back to weights; see
/// <see cref="HistorySpec"/>.</summary>
/// <param name="spec">The layer.</param>
/// <param name="optimizer">SGD.</param>
public sealed class HistoryParameter<T>(HistorySpec spec, Optimizer<T> optimizer)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes the history of no steps.</summary>
    /// <param name="values">The parameter, with W₀ (outputs × inputs, row by row) in its first values.</param>
    /// <param name="state">Its optimizer state, or none.</param>
    public void Begin(TensorView<T> values, Span<T> state)
    {
        History<T> history = new(spec, values);
        history.Restart(state);
        if (spec.HasVelocity)
        {
            history.Base(1).Span.Clear();
        }
    }

    /// <summary>
    /// Writes the history after one more step; what has no room for the step's rows is folded into the base first.
    /// </summary>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">κ, the clipping factor, or 1.</param>
    /// <param name="values">The parameter.</param>
    /// <param name="gradient">The step's factors.</param>
    /// <param name="state">The optimizer state, or none.</param>
    /// <param name="next">Receives the parameter; apart from <paramref name="values"/>.</param>
    /// <param name="nextState">Receives the optimizer state; apart from <paramref name="state"/>.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <returns>Whether every value that is new is finite.</returns>
    public bool Apply(
        double learningRate, long update, double gradientScale, TensorView<T> values, TensorView<T> gradient, ReadOnlySpan<T> state,
        TensorView<T> next, Span<T> nextState, ComputeScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        values.Span.CopyTo(next.Span);
        state.CopyTo(nextState);
        History<T> before = new(spec, values), after = new(spec, next);
        GradientFactors<T> step = new(spec, gradient);
        bool finite = Elementwise.AllFinite<T>(step.Inputs.Span) && Elementwise.AllFinite<T>(step.Deltas.Span);
        if (before.Rows + step.Rows > spec.RowsMax)
        {
            finite &= Fold(before, state, after, nextState, scratch);
        }

        long mark = scratch.Mark;
        Span<T> coefficients = after.Coefficients, direction = scratch.Take<T>(1, coefficients.Length).Span;
        direction.Clear();
        direction.Slice(spec.BaseCount + after.Rows, step.Rows).Fill(T.One);
        finite &= optimizer.Apply(learningRate, update, gradientScale, coefficients, direction, nextState, coefficients, nextState);
        after.Append(step);
        scratch.Release(mark);
        return finite;
    }

    /// <summary>Writes the weights (outputs × inputs) that the history stands for, and their velocity unless that is none.</summary>
    public void Expand(TensorView<T> values, ReadOnlySpan<T> state, TensorView<T> weights, TensorView<T> velocity, ComputeScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        History<T> history = new(spec, values);
        history.Sum(history.Coefficients, weights, scratch, null);
        if (!velocity.IsNone)
        {
            history.Sum(state, velocity, scratch, null);
        }
    }

    /// <summary>The squared norm of the gradient that a step's factors stand for.</summary>
    public double SquaredNorm(TensorView<T> gradient, ComputeScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        return new GradientFactors<T>(spec, gradient).SquaredNorm(scratch);
    }

    private static bool Fold(History<T> before, ReadOnlySpan<T> state, History<T> after, Span<T> nextState, ComputeScratch scratch)
    {
        TensorView<T> weights = after.Base(0);
        before.Sum(before.Coefficients, weights, scratch, null);
        bool finite = Elementwise.AllFinite<T>(weights.Span);
        if (!state.IsEmpty)
        {
            before.Sum(state, after.Base(1), scratch, null);
            finite &= Elementwise.AllFinite<T>(after.Base(1).Span);
        }

        after.Restart(nextState);
        return finite;
    }
}
