using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Optimizers;

/// <summary>
/// One update of one parameter, with the formulas of PyTorch 1.13 (torch.optim). Immutable and thread-safe: what an optimizer
/// remembers stands in the state that the caller keeps, 0 before the first update.
/// </summary>
/// <remarks>
/// The rules are element-wise and made of correctly rounded operations (fused multiply-add where it says so, else one operation
/// at a time), so an element's bits depend neither on its position nor on the vector width. The parameter is walked once, in
/// blocks that stay in the first-level cache.
/// </remarks>
public sealed class Optimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly UpdateRule<T> _rule;

    /// <summary>
    /// An optimizer whose settings are taken as they are; <see cref="OptimizerDefaults"/> gives those of PyTorch.
    /// </summary>
    public Optimizer(OptimizerSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        _rule = UpdateRule<T>.For(spec);
    }

    /// <summary>Vectors of the parameter's length that are kept between steps.</summary>
    public int StateCount => _rule.StateCount;

    /// <summary>
    /// Computes the next weights and state. Each "next" span may be the present one (in place) or apart from it.
    /// </summary>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">Factor of the gradient before everything else: the clipping factor, or 1.</param>
    /// <param name="weights">The parameter.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="state"><see cref="StateCount"/> vectors of the parameter's length, one after the other.</param>
    /// <param name="nextWeights">Receives the parameter.</param>
    /// <param name="nextState">Receives the state.</param>
    /// <param name="fork">Helpers for a large parameter, or null.</param>
    /// <returns>Whether every next weight is finite; looked at block by block while it is in the cache.</returns>
    public bool Apply(
        double learningRate, long update, double gradientScale, ReadOnlySpan<T> weights, ReadOnlySpan<T> gradient,
        ReadOnlySpan<T> state, Span<T> nextWeights, Span<T> nextState, IForkJoin? fork = null)
    {
        int length = weights.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(update, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(nextWeights.Length, length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(state.Length, checked(length * StateCount));
        ArgumentOutOfRangeException.ThrowIfNotEqual(nextState.Length, state.Length);
        Coefficients<T> coefficients = _rule.At(learningRate, update);
        UpdateArrays<T> arrays = new()
        {
            Weights = weights,
            Gradient = gradient,
            GradientScale = T.CreateChecked(gradientScale),
            State = state,
            NextWeights = nextWeights,
            NextState = nextState,
        };
        return fork is { Width: > 1 } && length >= UpdateWork<T>.LengthMin
            ? UpdateWork<T>.Run(_rule, coefficients, arrays, fork)
            : _rule.Apply(arrays, coefficients, 0, length);
    }
}
