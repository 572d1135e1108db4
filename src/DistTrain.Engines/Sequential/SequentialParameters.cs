using System.Numerics;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Sequential;

/// <summary>
/// All tensors that a sequential run trains, with their gradients and optimizer state, in layer order. A step's values come beside those of the step before, which
/// stand when it cannot be committed.
/// </summary>
internal sealed class SequentialParameters<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Calls for each tensor take longer than updating so many values.
    private const int JoinedLengthMax = 1024;

    private readonly IReadOnlyList<ParameterSpec> _parameters;
    private readonly ParameterUpdates<T> _rule;
    private readonly Optimizer<T>? _joined;
    private readonly ComputeScratch _scratch;
    private readonly List<Tensor<T>> _owned = [];
    private readonly long[] _updates;
    private readonly Set[] _gradients;
    private Set _weights, _nextWeights, _state, _nextState;

    /// <param name="plan">The plan.</param>
    /// <param name="optimizer">What updates values.</param>
    /// <param name="rule">How a tensor is updated.</param>
    /// <param name="updatesAll">Whether every step updates every tensor.</param>
    /// <param name="scratch">The calling thread's.</param>
    public SequentialParameters(RunPlan plan, Optimizer<T> optimizer, ParameterUpdates<T> rule, bool updatesAll, ComputeScratch scratch)
    {
        _parameters = [.. plan.Stages.SelectMany(stage => stage.Parameters)];
        (_rule, _scratch) = (rule, scratch);
        _updates = new long[_parameters.Count];

        // Several vectors of state would not lie as the optimizer takes them, nor do sums of several replicas' gradients.
        bool joins = updatesAll && optimizer.StateCount <= 1 && plan.Settings.Replicas == 1
            && _parameters.Sum(parameter => (long)parameter.Length) <= JoinedLengthMax && _parameters.All(rule.IsPlain);
        _joined = joins ? optimizer : null;
        _weights = Take(parameter => (parameter.Rows, parameter.Columns));
        _nextWeights = Take(parameter => (parameter.Rows, parameter.Columns));
        _state = Take(parameter => (optimizer.StateCount, parameter.StateLength));
        _nextState = Take(parameter => (optimizer.StateCount, parameter.StateLength));
        _gradients = [.. Enumerable.Range(0, plan.Settings.Replicas).Select(_ => Take(parameter => (parameter.GradientRows, parameter.GradientColumns)))];
        Gradients = [.. _gradients.Select(gradients => gradients.Each)];
    }

    /// <summary>What each tensor is.</summary>
    public IReadOnlyList<ParameterSpec> Specs => _parameters;

    /// <summary>Their present values.</summary>
    public TensorView<T>[] Weights => _weights.Each;

    /// <summary>Each replica's gradients.</summary>
    public TensorView<T>[][] Gradients { get; }

    /// <summary>A tensor's optimizer state.</summary>
    public TensorView<T> StateOf(int index) => _state.Each[index];

    /// <summary>Starts every tensor.</summary>
    public void Initialize(RunRequest request)
    {
        for (int i = 0; i < _parameters.Count; i++)
        {
            _rule.Initialize(request, _parameters[i], Weights[i], StateOf(i).Span);
        }
    }

    /// <summary>
    /// Computes the next values of the tensors that <paramref name="isUpdated"/> names, null for all; the others stay. Returns −1, or the index of the first one with a
    /// value that is not finite: then the present values stand.
    /// </summary>
    public int Update(double rate, double scale, TensorView<T>[] gradients, Func<int, bool>? isUpdated)
    {
        int failed = _joined is null ? UpdateEach(rate, scale, gradients, isUpdated) : UpdateJoined(_joined, rate, scale, gradients);
        if (failed < 0)
        {
            (_weights, _nextWeights) = (_nextWeights, _weights);
            (_state, _nextState) = (_nextState, _state);
        }

        return failed;
    }

    /// <summary>Room for a tensor of the caller's.</summary>
    public TensorView<T> Own(int rows, int columns)
    {
        Tensor<T> tensor = new(rows, columns);
        _owned.Add(tensor);
        return tensor.View;
    }

    public void Dispose()
    {
        foreach (Tensor<T> tensor in _owned)
        {
            tensor.Dispose();
        }
    }

    private int UpdateEach(double rate, double scale, TensorView<T>[] gradients, Func<int, bool>? isUpdated)
    {
        for (int i = 0; i < _parameters.Count; i++)
        {
            TensorView<T> weight = _weights.Each[i], next = _nextWeights.Each[i];
            Span<T> state = _state.Each[i].Span, nextState = _nextState.Each[i].Span;
            if (isUpdated is not null && !isUpdated(i))
            {
                weight.Span.CopyTo(next.Span);
                state.CopyTo(nextState);
            }
            else if (!_rule.Apply(_parameters[i], rate, ++_updates[i], scale, weight, gradients[i], state, next, nextState, _scratch))
            {
                return i;
            }
        }

        return -1;
    }

    private int UpdateJoined(Optimizer<T> optimizer, double rate, double scale, TensorView<T>[] gradients)
    {
        InvariantException.Require(
            gradients[0].Span.Overlaps(_gradients[0].All.Span, out int offset) && offset == 0, "The gradients of a single replica stay where its passes wrote them.");
        bool finite = optimizer.Apply(
            rate, ++_updates[0], scale, _weights.All.Span, _gradients[0].All.Span, _state.All.Span, _nextWeights.All.Span, _nextState.All.Span);
        return finite ? -1 : Array.FindIndex(_nextWeights.Each, weight => !Elementwise.AllFinite<T>(weight.Span));
    }

    private Set Take(Func<ParameterSpec, (int Rows, int Columns)> shapeOf)
    {
        if (_joined is null)
        {
            return new Set([.. _parameters.Select(parameter => Own(shapeOf(parameter).Rows, shapeOf(parameter).Columns))], default);
        }

        var each = new TensorView<T>[_parameters.Count];
        TensorView<T> all = Own(1, _parameters.Sum(parameter => shapeOf(parameter).Rows * shapeOf(parameter).Columns));
        for (int i = 0, offset = 0; i < each.Length; offset += each[i].Length, i++)
        {
            (int rows, int columns) = shapeOf(_parameters[i]);
            each[i] = all.Slice(offset, rows, columns);
        }

        return new Set(each, all);
    }

    /// <summary>One tensor for each parameter, and where they lie one behind the other all of them as one.</summary>
    private readonly record struct Set(TensorView<T>[] Each, TensorView<T> All);
}
