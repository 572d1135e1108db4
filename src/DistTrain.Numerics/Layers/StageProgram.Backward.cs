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
    /// <param name="pass">As the forward pass left it.</param>
    /// <param name="feedback">One for each parameter, of its shape. Only weights are read, the first layer's only if there is an
    /// input signal; the others may be none.</param>
    /// <param name="signals">The signal from behind, and what receives the results.</param>
    public void BackwardWith(in StagePass<T> pass, ReadOnlySpan<TensorView<T>> feedback, in StageSignals<T> signals)
    {
        CheckGradients(signals.Gradients);
        int rows = pass.Input.Rows;
        bool accumulate = signals.Accumulate;
        if (!accumulate)
        {
            ClearGathered(signals.Gradients);
        }

        if (rows == 0)
        {
            ClearUnless(accumulate, signals.Gradients);
            return;
        }

        int stashLength = CheckShapes(pass);
        if (feedback != pass.Parameters)
        {
            CheckFeedback(feedback);
        }

        CheckShape(signals.Signal, rows, OutputWidth, "signal");
        if (!signals.InputSignal.IsNone)
        {
            CheckShape(signals.InputSignal, rows, InputWidth, "input signal");
        }

        if (Small is not null && Small.Serves(rows))
        {
            Small.Backward(pass, feedback, signals, stashLength);
            return;
        }

        long mark = pass.Scratch.Mark;
        bool apart = accumulate && AddsInParts(rows);
        ReadOnlySpan<TensorView<T>> sums = apart ? TakeGradients(signals.Gradients, pass.Scratch) : signals.Gradients;
        RunBackward(pass, feedback, new StageSignals<T>(signals.Signal, signals.InputSignal, sums, accumulate && !apart));
        AddTo(signals.Gradients, apart ? sums : default);
        pass.Scratch.Release(mark);
    }

    /// <summary>
    /// Gradients from the network's error alone (direct feedback alignment; Nøkland 2016, eq. 7): the output of layer l gets the
    /// signal error · matrices[l]. No layer waits for another, and there is no signal for the stage before.
    /// </summary>
    /// <remarks>
    /// Where dropout layers follow a layer, in this stage or at the start of the next one, the signal is the one behind them, and
    /// reaches the layer through their masks; so stages do not change a result. Layers without parameters need no matrix.
    /// </remarks>
    /// <param name="pass">As the forward pass left it.</param>
    /// <param name="matrices">One for each layer of the stage: network outputs × the layer's output width. None where a layer has
    /// no parameters, and for the last layer where there is a signal of its own.</param>
    /// <param name="error">Rows × network outputs: what the last stage's <see cref="Loss"/> wrote, so times the row
    /// weight.</param>
    /// <param name="signals">What receives the gradients. The signal is what <see cref="Loss"/> wrote, for the last layer of the last stage, and none for other
    /// stages; the input signal is none.</param>
    public void BackwardDirect(in StagePass<T> pass, ReadOnlySpan<TensorView<T>> matrices, TensorView<T> error, in StageSignals<T> signals)
    {
        CheckParameters(signals.Gradients);
        int rows = pass.Input.Rows;
        bool accumulate = signals.Accumulate;
        if (rows == 0)
        {
            ClearUnless(accumulate, signals.Gradients);
            return;
        }

        CheckShapes(pass);
        CheckMatrices(matrices, error, signals.Signal, rows);
        long mark = pass.Scratch.Mark;
        bool apart = accumulate && AddsInParts(rows);
        ReadOnlySpan<TensorView<T>> sums = apart ? TakeGradients(signals.Gradients, pass.Scratch) : signals.Gradients;
        RunDirect(pass, matrices, error, new StageSignals<T>(signals.Signal, default, sums, accumulate && !apart));
        AddTo(signals.Gradients, apart ? sums : default);
        pass.Scratch.Release(mark);
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

    private void RunBackward(in StagePass<T> stage, ReadOnlySpan<TensorView<T>> feedback, in StageSignals<T> signals)
    {
        int rows = stage.Input.Rows;
        TensorView<T> signal = signals.Signal;
        TensorView<T> next = stage.Scratch.Take<T>(rows, _widestBoundary), other = stage.Scratch.Take<T>(rows, _widestBoundary);
        int end = StashLength(rows);
        for (int i = _layers.Length - 1; i >= 0; i--)
        {
            int start = end - LayerStashLength(i, rows);
            TensorView<T> x = i == 0 ? stage.Input : BoundaryBefore(i, start, stage.Stash, rows);
            TensorView<T> below = i == 0 ? signals.InputSignal : next.Slice(0, rows, _layers[i].InputWidth);
            _layers[i].Backward(new BackwardPass<T>
            {
                Forward = PassOf(i, start, x, stage),
                Signal = signal,
                InputSignal = below,
                Feedback = feedback,
                Gradients = signals.Gradients,
                Accumulate = signals.Accumulate,
            });
            (signal, next, other) = (below, other, next);
            end = start;
        }
    }

    private void RunDirect(in StagePass<T> stage, ReadOnlySpan<TensorView<T>> matrices, TensorView<T> error, in StageSignals<T> signals)
    {
        int rows = stage.Input.Rows, last = _layers.Length - 1;
        TensorView<T> room = stage.Scratch.Take<T>(rows, Math.Max(_widestBoundary, OutputWidth));
        int end = StashLength(rows);
        for (int i = last; i >= 0; i--)
        {
            int start = end - LayerStashLength(i, rows);
            if (_layers[i] is not DropoutLayer<T>)
            {
                TensorView<T> signal = i == last ? signals.Signal : default;
                if (signal.IsNone)
                {
                    signal = room.Slice(0, rows, _layers[i].OutputWidth);
                    Gemm.Multiply(error, false, matrices[i], false, signal, false, default, stage.Fork);
                    MaskBehind(i, stage.Context, signal);
                }

                _layers[i].Backward(new BackwardPass<T>
                {
                    Forward = PassOf(i, start, i == 0 ? stage.Input : BoundaryBefore(i, start, stage.Stash, rows), stage),
                    Signal = signal,
                    Gradients = signals.Gradients,
                    Accumulate = signals.Accumulate,
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
