using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.FrontContribution;

/// <summary>Θ of the Gram form as a parameter: its update from the rows of a step; see <see cref="ContributedSpec"/>.</summary>
/// <param name="spec">The layer.</param>
/// <param name="optimizer">SGD.</param>
public sealed class ContributedParameter<T>(ContributedSpec spec, Optimizer<T> optimizer)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Writes Θ after one more step, and its velocity.</summary>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">κ, the clipping factor, or 1.</param>
    /// <param name="values">Θ: N·h′ values.</param>
    /// <param name="gradient">What the step's rows contribute.</param>
    /// <param name="state">The velocity, or none.</param>
    /// <param name="next">Receives Θ.</param>
    /// <param name="nextState">Receives the velocity.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers, or null.</param>
    /// <returns>Whether every next value is finite.</returns>
    public unsafe bool Apply(
        double learningRate, long update, double gradientScale, TensorView<T> values, TensorView<T> gradient, ReadOnlySpan<T> state,
        TensorView<T> next, Span<T> nextState, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        long mark = scratch.Mark;
        ContributedRows<T> rows = new(spec, gradient);
        TensorView<T> deltas = rows.Deltas, zero = scratch.Take<T>(1, spec.Outputs);
        zero.Span.Clear();
        Span<nint> gradients = scratch.Take<nint>(1, spec.Features).Span;
        gradients.Fill((nint)zero.Pointer);
        for (int row = 0; row < deltas.Rows; row++)
        {
            gradients[rows.IndexOf(row)] = (nint)(deltas.Pointer + ((long)row * spec.Outputs));
        }

        bool finite = optimizer.ApplyRows(
            learningRate, update, gradientScale, values.Slice(0, spec.Features, spec.Outputs), gradients, state, next.Slice(0, spec.Features, spec.Outputs), nextState, fork);
        scratch.Release(mark);
        return finite;
    }
}
