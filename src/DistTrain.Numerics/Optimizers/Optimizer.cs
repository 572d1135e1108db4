using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

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
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradient.Length, weights.Length);
        UpdateArrays<T> arrays = new()
        {
            Weights = weights,
            Gradient = gradient,
            GradientScale = T.CreateChecked(gradientScale),
            State = state,
            NextWeights = nextWeights,
            NextState = nextState,
        };
        return Apply(learningRate, update, arrays, fork);
    }

    /// <summary>
    /// <see cref="Apply(double, long, double, ReadOnlySpan{T}, ReadOnlySpan{T}, ReadOnlySpan{T}, Span{T}, Span{T}, IForkJoin?)"/> for a matrix each row of which has its
    /// gradient somewhere, many of them in the same place: the same bits. SGD alone does that.
    /// </summary>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">Factor of the gradient before everything else.</param>
    /// <param name="weights">The parameter.</param>
    /// <param name="gradientRows">Pointers to as many values as <paramref name="weights"/> has columns, one for each of its rows.</param>
    /// <param name="state">As there.</param>
    /// <param name="nextWeights">As there.</param>
    /// <param name="nextState">As there.</param>
    /// <param name="fork">As there.</param>
    internal bool ApplyRows(
        double learningRate, long update, double gradientScale, TensorView<T> weights, ReadOnlySpan<nint> gradientRows,
        ReadOnlySpan<T> state, TensorView<T> nextWeights, Span<T> nextState, IForkJoin? fork = null)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(gradientRows.Length, weights.Rows);
        if (!_rule.TakesRows)
        {
            throw new NotSupportedException("Gradients by rows are for SGD.");
        }

        UpdateArrays<T> arrays = new()
        {
            Weights = weights.Span,
            GradientRows = gradientRows,
            Columns = weights.Columns,
            GradientScale = T.CreateChecked(gradientScale),
            State = state,
            NextWeights = nextWeights.Span,
            NextState = nextState,
        };
        return Apply(learningRate, update, arrays, fork);
    }

    /// <summary>
    /// <see cref="Apply(double, long, double, ReadOnlySpan{T}, ReadOnlySpan{T}, ReadOnlySpan{T}, Span{T}, Span{T}, IForkJoin?)"/> for a gradient that is the sum of several, added in
    /// their order: sum and update in one pass, with the same bits.
    /// </summary>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">Factor of the sum before everything else.</param>
    /// <param name="weights">The parameter.</param>
    /// <param name="summands">At least two, each of the parameter's length.</param>
    /// <param name="state">As there.</param>
    /// <param name="nextWeights">As there.</param>
    /// <param name="nextState">As there.</param>
    /// <param name="fork">As there.</param>
    public unsafe bool ApplySum(
        double learningRate, long update, double gradientScale, TensorView<T> weights, ReadOnlySpan<TensorView<T>> summands,
        ReadOnlySpan<T> state, TensorView<T> nextWeights, Span<T> nextState, IForkJoin? fork = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(summands.Length, 2);
        Span<nint> pointers = stackalloc nint[summands.Length];
        for (int i = 0; i < pointers.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(summands[i].Length, weights.Length);

            // A view's memory does not move.
            pointers[i] = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(summands[i].Span));
        }

        UpdateArrays<T> arrays = new()
        {
            Weights = weights.Span,
            Summands = pointers,
            GradientScale = T.CreateChecked(gradientScale),
            State = state,
            NextWeights = nextWeights.Span,
            NextState = nextState,
        };
        return Apply(learningRate, update, arrays, fork);
    }

    /// <summary>
    /// <see cref="Apply(double, long, double, ReadOnlySpan{T}, ReadOnlySpan{T}, ReadOnlySpan{T}, Span{T}, Span{T}, IForkJoin?)"/> for a weight whose gradient has come as factors
    /// (<see cref="ParameterSpec.Factored"/>): their product and the update in one pass, with the same bits, and the product never stands in memory.
    /// </summary>
    /// <param name="weight">The weight.</param>
    /// <param name="learningRate">η of this step.</param>
    /// <param name="update">Number of this update, from 1.</param>
    /// <param name="gradientScale">Factor of the gradient before everything else.</param>
    /// <param name="weights">outputs × inputs.</param>
    /// <param name="gradient">1 × <see cref="ParameterSpec.GradientLength"/>, as a backward pass wrote it.</param>
    /// <param name="state">As there.</param>
    /// <param name="nextWeights">outputs × inputs; apart from <paramref name="weights"/> or the same.</param>
    /// <param name="nextState">As there.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for a large product, or null.</param>
    /// <param name="inputs">The step's rows × inputs, where a backward pass has left them out of the gradient; else none.</param>
    /// <returns>Whether every next weight is finite.</returns>
    public bool ApplyFactors(
        ParameterSpec weight, double learningRate, long update, double gradientScale, TensorView<T> weights, TensorView<T> gradient,
        ReadOnlySpan<T> state, TensorView<T> nextWeights, Span<T> nextState, ComputeScratch scratch, IForkJoin? fork = null, TensorView<T> inputs = default)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(scratch);
        UpdateArrays<T> arrays = new()
        {
            Weights = weights.Span,
            GradientScale = T.CreateChecked(gradientScale),
            State = state,
            NextWeights = nextWeights.Span,
            NextState = nextState,
        };
        RequireLengths(update, arrays);
        GradientFactors<T> factors = new(weight, gradient);
        inputs = inputs.IsNone ? factors.Inputs : inputs;
        ProductUpdate<T> product = ProductUpdate<T>.Begin(_rule, _rule.At(learningRate, update), arrays, weight.Columns);
        bool fused = Gemm.TryMultiplyInto(factors.Deltas, true, inputs, false, product, fork, GemmPath.Best, VectorWidth.Best);
        bool finite = product.End();
        if (fused)
        {
            return finite;
        }

        long mark = scratch.Mark;
        TensorView<T> whole = scratch.Take<T>(weight.Rows, weight.Columns);
        Gemm.Multiply(factors.Deltas, true, inputs, false, whole, false, default, fork);
        finite = Apply(learningRate, update, gradientScale, weights.Span, whole.Span, state, nextWeights.Span, nextState, fork);
        scratch.Release(mark);
        return finite;
    }

    private void RequireLengths(long update, in UpdateArrays<T> arrays)
    {
        int length = arrays.Weights.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(update, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(arrays.NextWeights.Length, length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(arrays.State.Length, checked(length * StateCount));
        ArgumentOutOfRangeException.ThrowIfNotEqual(arrays.NextState.Length, arrays.State.Length);
    }

    private bool Apply(double learningRate, long update, in UpdateArrays<T> arrays, IForkJoin? fork)
    {
        RequireLengths(update, arrays);
        int length = arrays.Weights.Length;
        Coefficients<T> coefficients = _rule.At(learningRate, update);
        IForkJoin? helpers = fork is { Width: > 1 } && length >= UpdateWork<T>.LengthMin ? fork : null;
        return helpers is not null || !arrays.Summands.IsEmpty
            ? UpdateWork<T>.Run(_rule, coefficients, arrays, helpers)
            : _rule.Apply(arrays, coefficients, 0, length);
    }
}
