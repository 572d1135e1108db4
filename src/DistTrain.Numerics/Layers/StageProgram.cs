using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Losses;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// The arithmetic of a run of consecutive layers, and of the loss behind the last one: forward, loss, backward. Immutable and
/// without state between calls, so that any number of threads may use one program. Nothing is allocated on the managed heap
/// once the scratch has grown. A network gives the same bits in one program as in several, one after the other.
/// </summary>
/// <remarks>
/// Rows are samples and may be 0: forward and loss then do nothing, and backward gives gradients of 0. Gradients add by sample,
/// in the order that <see cref="Gemm"/> documents for weights and row after row for biases and slopes. Accumulating gives the
/// same bits as computing a gradient apart and adding it.
/// </remarks>
public sealed partial class StageProgram<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int StashAlignment = 16;

    // The number of terms that Gemm adds before it adds the sum to the result.
    private const int ProductBlock = 512;
    private readonly Layer<T>[] _layers;
    private readonly ParameterSpec[] _parameters;

    // As the parameters say, beside each other: they are looked at in every pass.
    private readonly (int Rows, int Columns)[] _shapes, _gradientShapes;
    private readonly LossFunction<T>? _loss;
    private readonly int _widestBoundary;
    private readonly bool _hasTies, _gathersRows;

    // Asked of layers once, not several times a pass.
    private readonly int[] _stashWidths, _boundaryWidths;
    private readonly DropoutLayer<T>[] _dropoutBehind;

    // Rows in the upper half and the stash that they need in the lower one, of whoever asked last: nearly always the same.
    private long _lastStash;

    /// <summary>
    /// Layers <paramref name="firstLayer"/> … <paramref name="firstLayer"/> + <paramref name="layerCount"/> − 1.
    /// </summary>
    /// <param name="network">The whole network, which <see cref="NetworkChecks.Validate"/> has accepted.</param>
    /// <param name="firstLayer">From 0.</param>
    /// <param name="layerCount">At least 1.</param>
    /// <param name="loss">For the last stage only; null for a stage that never computes a loss.</param>
    /// <param name="factoredRows">Rows of a full step where the gradients of weights are wanted as factors if these are fewer values
    /// (<see cref="ParameterSpec.Factored"/>); 0 for gradients as they are.</param>
    /// <param name="leavesInput">Whether the factors of the first layer's weight have only room for their inputs, which are the stage's and somebody else has:
    /// those of <see cref="InputFactor"/>.</param>
    /// <exception cref="InvalidInputException">A tied layer's weight belongs to another stage.</exception>
    public StageProgram(NetworkSpec network, int firstLayer, int layerCount, LossKind? loss = null, int factoredRows = 0, bool leavesInput = false)
    {
        ArgumentNullException.ThrowIfNull(network);
        (_layers, _parameters) = new StageBuilder<T>(network, firstLayer, layerCount, loss, factoredRows, leavesInput).Build();
        _shapes = [.. _parameters.Select(parameter => (parameter.Rows, parameter.Columns))];
        _gradientShapes = [.. _parameters.Select(parameter => (parameter.GradientRows, parameter.GradientColumns))];
        Small = SmallStage<T>.Of(_layers);
        _dropoutBehind = DropoutBehind(network, firstLayer + layerCount, OutputWidth);
        _loss = loss is LossKind kind ? LossFunction<T>.For(kind, network.Layers[^1]) : null;
        _hasTies = network.Layers.Skip(firstLayer).Take(layerCount).Any(layer => layer is DenseSpec { TiedTo: not null });
        _gathersRows = _parameters.Any(parameter => parameter.GathersRows);
        InputFactor = leavesInput && _parameters is [{ FactoredRows: > 0 } first, ..] && first.Layer == firstLayer ? 0 : -1;
        _stashWidths = [.. _layers.Select(layer => layer.StashWidth)];
        _boundaryWidths = [.. _layers.Select((layer, i) => i == _layers.Length - 1 ? 0 : layer.OutputWidth)];
        for (int i = 0; i < _layers.Length - 1; i++)
        {
            _widestBoundary = Math.Max(_widestBoundary, _layers[i].OutputWidth);
        }
    }

    /// <summary>The same passes for few rows of small layers; null where there are none, or to do without.</summary>
    internal SmallStage<T>? Small { get; init; }

    /// <summary>Index of the parameter whose gradient, as factors, lacks its inputs, which are the stage's; −1 for none.</summary>
    public int InputFactor { get; }

    /// <summary>Columns of the input.</summary>
    public int InputWidth => _layers[0].InputWidth;

    /// <summary>Columns of the output.</summary>
    public int OutputWidth => _layers[^1].OutputWidth;

    /// <summary>
    /// In layer order; within a layer weight, bias, slope. Every list of parameters or gradients follows this one.
    /// </summary>
    public IReadOnlyList<ParameterSpec> Parameters => _parameters;

    /// <summary>Number of values kept between forward and backward, besides input and output.</summary>
    public int StashLength(int rows)
    {
        long last = Volatile.Read(ref _lastStash);
        if (last >> 32 == rows)
        {
            return (int)last;
        }

        int length = 0;
        for (int i = 0; i < _layers.Length; i++)
        {
            length = checked(length + LayerStashLength(i, rows));
        }

        Volatile.Write(ref _lastStash, ((long)rows << 32) | (uint)length);
        return length;
    }

    /// <summary>Computes the output and fills the stash.</summary>
    /// <param name="pass">The pass.</param>
    /// <returns>Index in the network of the first layer with an output that is not finite, or −1.</returns>
    public int Forward(in StagePass<T> pass)
    {
        int rows = pass.Input.Rows;
        if (rows == 0)
        {
            return -1;
        }

        CheckShapes(pass);
        return Small is not null && Small.Serves(rows) ? Small.Forward(pass) : RunForward(pass);
    }

    /// <summary>The loss of the rows of <paramref name="output"/>, and its gradient.</summary>
    /// <param name="output">What <see cref="Forward"/> wrote.</param>
    /// <param name="stash">What <see cref="Forward"/> wrote.</param>
    /// <param name="target">Rows × outputs.</param>
    /// <param name="signal">Receives what <see cref="Backward"/> takes, times <paramref name="rowWeight"/>: d(loss)/d(output) or,
    /// for cross-entropy on softmax and binary cross-entropy on sigmoid, d(loss)/d(pre-activation). None for evaluation.</param>
    /// <param name="rowWeight">1 / the rows of the whole step.</param>
    /// <param name="scratch">The calling thread's.</param>
    public LossResult Loss(
        TensorView<T> output, TensorView<T> stash, TensorView<T> target, TensorView<T> signal, double rowWeight,
        ComputeScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        LossFunction<T> loss = _loss ?? throw new InvalidOperationException("This stage was built without a loss.");
        int rows = output.Rows;
        if (rows == 0)
        {
            return default;
        }

        CheckShape(output, rows, OutputWidth, "output");
        CheckShape(target, rows, OutputWidth, "target");
        if (!signal.IsNone)
        {
            CheckShape(signal, rows, OutputWidth, "signal");
        }

        TensorView<T> preActivation = default;
        if (loss.IsFused)
        {
            int last = _layers.Length - 1;
            preActivation = stash.Slice(StashLength(rows) - LayerStashLength(last, rows), rows, OutputWidth);
        }

        return loss.Evaluate(preActivation, output, target, signal, T.CreateChecked(rowWeight), scratch);
    }

    /// <summary>Computes the gradients of the parameters and, if asked, of the input.</summary>
    /// <param name="pass">As the forward pass left it.</param>
    /// <param name="signals">The signal from behind, and what receives the results.</param>
    public void Backward(in StagePass<T> pass, in StageSignals<T> signals) => BackwardWith(pass, pass.Parameters, signals);

    private int RunForward(in StagePass<T> stage)
    {
        int rows = stage.Input.Rows, offset = 0, notFinite = -1;
        TensorView<T> x = stage.Input;
        for (int i = 0; i < _layers.Length; i++)
        {
            Layer<T> layer = _layers[i];
            ForwardPass<T> pass = PassOf(i, offset, x, stage);
            layer.Forward(pass);
            if (notFinite < 0 && !TensorPrimitives.IsFiniteAll<T>(pass.Output.Span))
            {
                notFinite = layer.Index;
            }

            x = pass.Output;
            offset += LayerStashLength(i, rows);
        }

        return notFinite;
    }

    // A layer's part of the stash: its own values first, then its output unless that is the stage's.
    private int LayerStashLength(int layer, int rows) =>
        Aligned(checked(rows * _stashWidths[layer])) + Aligned(checked(rows * _boundaryWidths[layer]));

    internal static int Aligned(int length) => checked(length + StashAlignment - 1) / StashAlignment * StashAlignment;

    private TensorView<T> BoundaryBefore(int layer, int layerStart, TensorView<T> stash, int rows)
    {
        int width = _layers[layer].InputWidth;
        return stash.Slice(layerStart - Aligned(rows * width), rows, width);
    }

    private ForwardPass<T> PassOf(int layer, int offset, TensorView<T> input, in StagePass<T> stage)
    {
        int own = input.Rows * _stashWidths[layer];
        return new ForwardPass<T>
        {
            Parameters = stage.Parameters,
            Input = input,
            Output = layer == _layers.Length - 1
                ? stage.Output
                : stage.Stash.Slice(offset + Aligned(own), input.Rows, _layers[layer].OutputWidth),
            Stash = own == 0 ? default : stage.Stash.Slice(offset, 1, own),
            Context = stage.Context,
            Scratch = stage.Scratch,
            Fork = stage.Fork,
        };
    }

    /// <summary>Also the number of values that the stash holds.</summary>
    private int CheckShapes(in StagePass<T> pass)
    {
        int rows = pass.Input.Rows;
        CheckParameters(pass.Parameters);
        CheckShape(pass.Input, rows, InputWidth, "input");
        CheckShape(pass.Output, rows, OutputWidth, "output");
        int needed = StashLength(rows);
        if (pass.Stash.Length < needed)
        {
            throw new ArgumentException($"The stash has {pass.Stash.Length} values and needs {needed}.");
        }

        return needed;
    }

    private void CheckParameters(ReadOnlySpan<TensorView<T>> tensors) => CheckTensors(tensors, _shapes);

    private void CheckGradients(ReadOnlySpan<TensorView<T>> tensors) => CheckTensors(tensors, _gradientShapes);

    private void CheckTensors(ReadOnlySpan<TensorView<T>> tensors, (int Rows, int Columns)[] shapes)
    {
        if (tensors.Length != shapes.Length)
        {
            throw new ArgumentException($"{tensors.Length} tensors for {shapes.Length} parameters.");
        }

        for (int i = 0; i < shapes.Length; i++)
        {
            if (tensors[i].Rows != shapes[i].Rows || tensors[i].Columns != shapes[i].Columns)
            {
                Refuse(tensors[i], shapes[i].Rows, shapes[i].Columns, _parameters[i].Name);
            }
        }
    }

    /// <summary>Passes add rows to those that a gradient has gathered; a step begins with none.</summary>
    private void ClearGathered(ReadOnlySpan<TensorView<T>> gradients)
    {
        for (int i = 0; i < gradients.Length && _gathersRows; i++)
        {
            if (_parameters[i].GathersRows)
            {
                gradients[i].Span[^1] = T.Zero;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CheckShape(TensorView<T> view, int rows, int columns, string name)
    {
        if (view.Rows != rows || view.Columns != columns)
        {
            Refuse(view, rows, columns, name);
        }
    }

    [DoesNotReturn]
    private static void Refuse(TensorView<T> view, int rows, int columns, string name) =>
        throw new ArgumentException($"{name} is {view.Rows} x {view.Columns} and should be {rows} x {columns}.");

    private static void ClearUnless(bool accumulate, ReadOnlySpan<TensorView<T>> gradients)
    {
        if (!accumulate)
        {
            foreach (TensorView<T> gradient in gradients)
            {
                gradient.Span.Clear();
            }
        }
    }
}
