using System.Numerics.Tensors;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <content>The backward passes: through the weights, through feedback weights, and from the error directly.</content>
public sealed partial class StageProgram<T>
{
    /// <summary>
    /// <see cref="Backward"/> with signals that pass the layers through fixed <paramref name="feedback"/> weights instead of the
    /// parameters' (feedback alignment; Lillicrap et al. 2016). Derivatives of activations and the gradients' inputs stay those
    /// of the forward pass. With the parameters as feedback it is backpropagation, bit for bit.
    /// </summary>
    /// <param name="parameters">As in the forward pass.</param>
    /// <param name="feedback">One for each parameter, of its shape. Only weights are read, the first layer's only if there is an
    /// input signal; the others may be none.</param>
    /// <param name="input">As in the forward pass.</param>
    /// <param name="output">As the forward pass wrote it.</param>
    /// <param name="stash">As the forward pass wrote it.</param>
    /// <param name="signal">As for <see cref="Backward"/>. Never written.</param>
    /// <param name="inputSignal">Receives the signal for the stage before; none if not needed.</param>
    /// <param name="gradients">One for each parameter.</param>
    /// <param name="accumulate">Whether to add to the gradients instead of overwriting them.</param>
    /// <param name="context">As in the forward pass.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone.</param>
    public void BackwardWith(
        ReadOnlySpan<TensorView<T>> parameters, ReadOnlySpan<TensorView<T>> feedback, TensorView<T> input, TensorView<T> output,
        TensorView<T> stash, TensorView<T> signal, TensorView<T> inputSignal, ReadOnlySpan<TensorView<T>> gradients,
        bool accumulate, in PassContext context, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        CheckGradients(gradients);
        int rows = input.Rows;
        if (!accumulate)
        {
            ClearGathered(gradients);
        }

        if (rows == 0)
        {
            ClearUnless(accumulate, gradients);
            return;
        }

        int stashLength = CheckShapes(parameters, input, output, stash);
        if (feedback != parameters)
        {
            CheckFeedback(feedback);
        }

        CheckShape(signal, rows, OutputWidth, "signal");
        if (!inputSignal.IsNone)
        {
            CheckShape(inputSignal, rows, InputWidth, "input signal");
        }

        if (Small is not null && Small.Serves(rows))
        {
            Small.Backward(parameters, feedback, input, output, stash, signal, inputSignal, gradients, accumulate, stashLength, scratch);
            return;
        }

        long mark = scratch.Mark;
        bool apart = accumulate && AddsInParts(rows);
        ReadOnlySpan<TensorView<T>> sums = apart ? TakeGradients(gradients, scratch) : gradients;
        RunBackward(
            parameters, feedback, input, output, stash, signal, inputSignal, sums, accumulate && !apart, context, scratch, fork);
        AddTo(gradients, apart ? sums : default);
        scratch.Release(mark);
    }

    /// <summary>
    /// Gradients from the network's error alone (direct feedback alignment; Nøkland 2016, eq. 7): the output of layer l gets the
    /// signal error · matrices[l]. No layer waits for another, and there is no signal for the stage before.
    /// </summary>
    /// <remarks>
    /// Where dropout layers follow a layer, in this stage or at the start of the next one, the signal is the one behind them, and
    /// reaches the layer through their masks; so stages do not change a result. Layers without parameters need no matrix.
    /// </remarks>
    /// <param name="parameters">As in the forward pass.</param>
    /// <param name="matrices">One for each layer of the stage: network outputs × the layer's output width. None where a layer has
    /// no parameters, and for the last layer where <paramref name="ownSignal"/> is given.</param>
    /// <param name="error">Rows × network outputs: what the last stage's <see cref="Loss"/> wrote, so times the row
    /// weight.</param>
    /// <param name="input">As in the forward pass.</param>
    /// <param name="output">As the forward pass wrote it.</param>
    /// <param name="stash">As the forward pass wrote it.</param>
    /// <param name="ownSignal">What <see cref="Loss"/> wrote, for the last layer of the last stage; none for other
    /// stages.</param>
    /// <param name="gradients">One for each parameter.</param>
    /// <param name="accumulate">Whether to add to the gradients instead of overwriting them.</param>
    /// <param name="context">As in the forward pass.</param>
    /// <param name="scratch">The calling thread's.</param>
    /// <param name="fork">Helpers for the matrix products; null to work alone.</param>
    public void BackwardDirect(
        ReadOnlySpan<TensorView<T>> parameters, ReadOnlySpan<TensorView<T>> matrices, TensorView<T> error, TensorView<T> input,
        TensorView<T> output, TensorView<T> stash, TensorView<T> ownSignal, ReadOnlySpan<TensorView<T>> gradients,
        bool accumulate, in PassContext context, ComputeScratch scratch, IForkJoin? fork = null)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        CheckParameters(gradients);
        int rows = input.Rows;
        if (rows == 0)
        {
            ClearUnless(accumulate, gradients);
            return;
        }

        CheckShapes(parameters, input, output, stash);
        CheckMatrices(matrices, error, ownSignal, rows);
        long mark = scratch.Mark;
        bool apart = accumulate && AddsInParts(rows);
        ReadOnlySpan<TensorView<T>> sums = apart ? TakeGradients(gradients, scratch) : gradients;
        RunDirect(
            parameters, matrices, error, input, output, stash, ownSignal, sums, accumulate && !apart, context, scratch, fork);
        AddTo(gradients, apart ? sums : default);
        scratch.Release(mark);
    }

    // Several additions to one gradient would associate differently from one addition of their sum.
    private bool AddsInParts(int rows) => _hasTies || rows > ProductBlock;

    /// <summary>Gradients apart from the given ones; those that gather rows are the given ones.</summary>
    private Span<TensorView<T>> TakeGradients(ReadOnlySpan<TensorView<T>> given, ComputeScratch scratch)
    {
        Span<TensorView<T>> gradients = scratch.Take<TensorView<T>>(1, _parameters.Length).Span;
        for (int i = 0; i < gradients.Length; i++)
        {
            gradients[i] = _parameters[i].GathersRows ? given[i] : scratch.Take<T>(_parameters[i].Rows, _parameters[i].Columns);
        }

        return gradients;
    }

    private void AddTo(ReadOnlySpan<TensorView<T>> gradients, ReadOnlySpan<TensorView<T>> sums)
    {
        for (int i = 0; i < sums.Length; i++)
        {
            if (_parameters[i].GathersRows)
            {
                continue;
            }

            TensorPrimitives.Add(gradients[i].Span, sums[i].Span, gradients[i].Span);
        }
    }

    private void RunBackward(
        ReadOnlySpan<TensorView<T>> parameters, ReadOnlySpan<TensorView<T>> feedback, TensorView<T> input, TensorView<T> output,
        TensorView<T> stash, TensorView<T> signal, TensorView<T> inputSignal, ReadOnlySpan<TensorView<T>> gradients,
        bool accumulate, in PassContext context, ComputeScratch scratch, IForkJoin? fork)
    {
        int rows = input.Rows;
        TensorView<T> next = scratch.Take<T>(rows, _widestBoundary), other = scratch.Take<T>(rows, _widestBoundary);
        int end = StashLength(rows);
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            int start = end - LayerStashLength(i, rows);
            TensorView<T> x = i == 0 ? input : BoundaryBefore(i, start, stash, rows);
            TensorView<T> below = i == 0 ? inputSignal : next.Slice(0, rows, _layers[i].InputWidth);
            _layers[i].Backward(new BackwardPass<T>
            {
                Forward = PassOf(i, start, parameters, x, output, stash, context, scratch, fork),
                Signal = signal,
                InputSignal = below,
                Feedback = feedback,
                Gradients = gradients,
                Accumulate = accumulate,
            });
            (signal, next, other) = (below, other, next);
            end = start;
        }
    }

    private void RunDirect(
        ReadOnlySpan<TensorView<T>> parameters, ReadOnlySpan<TensorView<T>> matrices, TensorView<T> error, TensorView<T> input,
        TensorView<T> output, TensorView<T> stash, TensorView<T> ownSignal, ReadOnlySpan<TensorView<T>> gradients,
        bool accumulate, in PassContext context, ComputeScratch scratch, IForkJoin? fork)
    {
        int rows = input.Rows, last = _layers.Length - 1;
        TensorView<T> room = scratch.Take<T>(rows, Math.Max(_widestBoundary, OutputWidth));
        int end = StashLength(rows);
        for (int i = last; i >= 0; i--)
        {
            int start = end - LayerStashLength(i, rows);
            if (_layers[i] is not DropoutLayer<T>)
            {
                TensorView<T> signal = i == last ? ownSignal : default;
                if (signal.IsNone)
                {
                    signal = room.Slice(0, rows, _layers[i].OutputWidth);
                    Gemm.Multiply(error, false, matrices[i], false, signal, false, default, fork);
                    MaskBehind(i, context, signal);
                }

                _layers[i].Backward(new BackwardPass<T>
                {
                    Forward = PassOf(
                        i, start, parameters, i == 0 ? input : BoundaryBefore(i, start, stash, rows), output, stash, context,
                        scratch, fork),
                    Signal = signal,
                    Gradients = gradients,
                    Accumulate = accumulate,
                });
            }

            end = start;
        }
    }

    private void MaskBehind(int layer, in PassContext context, TensorView<T> signal)
    {
        int behind = layer + 1;
        for (; behind < _layers.Length; behind++)
        {
            if (_layers[behind] is not DropoutLayer<T> dropout)
            {
                return;
            }

            dropout.Mask(context, signal, signal);
        }

        foreach (DropoutLayer<T> dropout in _dropoutBehind)
        {
            dropout.Mask(context, signal, signal);
        }
    }

    private static DropoutLayer<T>[] DropoutBehind(NetworkSpec network, int layer, int width)
        => network.Layers.Skip(layer).TakeWhile(spec => spec is DropoutSpec)
            .Select((spec, i) => new DropoutLayer<T>(layer + i, width, ((DropoutSpec)spec).Rate)).ToArray();

    private void CheckFeedback(ReadOnlySpan<TensorView<T>> feedback)
    {
        if (feedback.Length != _parameters.Length)
        {
            throw new ArgumentException($"{feedback.Length} feedback tensors for {_parameters.Length} parameters.");
        }

        for (int i = 0; i < feedback.Length; i++)
        {
            if (!feedback[i].IsNone)
            {
                CheckShape(feedback[i], _parameters[i].Rows, _parameters[i].Columns, _parameters[i].Name);
            }
        }
    }

    private void CheckMatrices(
        ReadOnlySpan<TensorView<T>> matrices, TensorView<T> error, TensorView<T> ownSignal, int rows)
    {
        if (matrices.Length != _layers.Length)
        {
            throw new ArgumentException($"{matrices.Length} matrices for {_layers.Length} layers.");
        }

        CheckShape(error, rows, error.Columns, "error");
        if (!ownSignal.IsNone)
        {
            CheckShape(ownSignal, rows, OutputWidth, "own signal");
        }

        for (int i = 0; i < matrices.Length; i++)
        {
            bool needed = _layers[i] is not DropoutLayer<T> && (ownSignal.IsNone || i < matrices.Length - 1);
            if (needed)
            {
                CheckShape(matrices[i], error.Columns, _layers[i].OutputWidth, $"The matrix of layer {_layers[i].Index}");
            }
        }
    }
}
