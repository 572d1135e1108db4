using System.Numerics;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared.Front;

/// <summary>
/// How a parameter starts and is updated, the same for the plain loop and for shards: by the optimizer itself, row by row, or as a
/// layer's history. Thread-safe.
/// </summary>
internal sealed class ParameterUpdates<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunPlan _plan;
    private readonly Optimizer<T> _optimizer;
    private readonly HistoryParameter<T>?[] _histories;
    private readonly ContributedParameter<T>? _contributed;

    public ParameterUpdates(RunPlan plan, Optimizer<T> optimizer)
    {
        (_plan, _optimizer) = (plan, optimizer);
        _histories = [.. plan.Network.Layers.Select(layer => layer is HistorySpec history ? new HistoryParameter<T>(history, optimizer) : null)];
        _contributed = plan.Network.Layers[0] is ContributedSpec { Scatter: true } spec ? new ContributedParameter<T>(spec, optimizer) : null;
    }

    /// <summary>The experiment's parameter that a trained one stands for: itself, or the weight of a history.</summary>
    public ParameterSpec ResultOf(ParameterSpec parameter) =>
        HistorySpec.IsHistory(parameter) ? ((HistorySpec)_plan.Network.Layers[parameter.Layer]).Weight(parameter.Layer) : parameter;

    /// <summary>Writes a parameter as it is before the first step; its optimizer state is 0 and stays so but for a
    /// history's.</summary>
    public void Initialize(RunRequest request, ParameterSpec parameter, TensorView<T> values, Span<T> state)
    {
        ParameterSpec result = ResultOf(parameter);
        InitialParameters.Fill(request, _plan, result, values.Span[..result.Length]);
        HistoryOf(parameter)?.Begin(values, state);
    }

    /// <summary>Computes the next values and state, apart from the present ones.</summary>
    /// <param name="inputs">The inputs of a gradient that comes as factors, where they do not stand in it; else none.</param>
    /// <returns>Whether they are finite.</returns>
    public bool Apply(
        ParameterSpec parameter, double learningRate, long update, double gradientScale, TensorView<T> values, TensorView<T> gradient,
        ReadOnlySpan<T> state, TensorView<T> next, Span<T> nextState, ComputeScratch scratch, IForkJoin? fork = null, TensorView<T> inputs = default) =>
        HistoryOf(parameter) is HistoryParameter<T> history
            ? history.Apply(learningRate, update, gradientScale, values, gradient, state, next, nextState, scratch)
            : _contributed is not null && ContributedSpec.IsTheta(parameter)
            ? _contributed.Apply(learningRate, update, gradientScale, values, gradient, state, next, nextState, scratch, fork)
            : parameter.FactoredRows > 0
            ? ApplyFactors(parameter, learningRate, update, gradientScale, values, gradient, state, next, nextState, scratch, fork, inputs)
            : _optimizer.Apply(learningRate, update, gradientScale, values.Span, gradient.Span, state, next.Span, nextState, fork);

    /// <summary>Whether a parameter is updated by the optimizer alone, value by value.</summary>
    public bool IsPlain(ParameterSpec parameter) =>
        HistoryOf(parameter) is null && parameter.FactoredRows == 0 && !ContributedSpec.IsScale(parameter) && (_contributed is null || !ContributedSpec.IsTheta(parameter));

    /// <summary>The same as <see cref="Apply"/> for a plain parameter whose gradient is the sum of several, added in their order.</summary>
    public bool ApplySum(
        ParameterSpec parameter, double learningRate, long update, double gradientScale, TensorView<T> values, ReadOnlySpan<TensorView<T>> gradients,
        ReadOnlySpan<T> state, TensorView<T> next, Span<T> nextState, IForkJoin? fork)
    {
        InvariantException.Require(IsPlain(parameter), "What is no gradient of its values does not add up.");
        return _optimizer.ApplySum(learningRate, update, gradientScale, values, gradients, state, next, nextState, fork);
    }

    private bool ApplyFactors(
        ParameterSpec parameter, double learningRate, long update, double gradientScale, TensorView<T> values, TensorView<T> gradient,
        ReadOnlySpan<T> state, TensorView<T> next, Span<T> nextState, ComputeScratch scratch, IForkJoin? fork, TensorView<T> inputs) => _optimizer.ApplyFactors(
            parameter, learningRate, update, gradientScale, values.Slice(0, parameter.Rows, parameter.Columns), gradient, state,
            next.Slice(0, parameter.Rows, parameter.Columns), nextState, scratch, fork, inputs);

    /// <summary>A parameter's part of the gradient's squared norm.</summary>
    public double SquaredNorm(ParameterSpec parameter, TensorView<T> gradient, ComputeScratch scratch) =>
        HistoryOf(parameter)?.SquaredNorm(gradient, scratch) ?? ContributedNorm.Of(_plan.Network, parameter, gradient);

    /// <summary>Writes the weights that a history stands for, and their velocity unless that is none.</summary>
    public void Expand(
        ParameterSpec parameter, TensorView<T> values, ReadOnlySpan<T> state, TensorView<T> weights, TensorView<T> velocity, ComputeScratch scratch) =>
        HistoryOf(parameter)!.Expand(values, state, weights, velocity, scratch);

    private HistoryParameter<T>? HistoryOf(ParameterSpec parameter) =>
        HistorySpec.IsHistory(parameter) ? _histories[parameter.Layer] : null;
}
