using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines;

/// <summary>Measures what goes value by value, in float32: activations, loss, updates, streams, draws.</summary>
/// <param name="fastest">Times pieces.</param>
internal sealed class ElementMeasurements(FastestOf fastest)
{
    private const double Milliseconds = 5, StreamMilliseconds = 25;
    private const int Rows = 64, Width = 128, NarrowWidth = 10, Inputs = 16;

    // Passes of some microseconds are repeated, so that the clock's own steps do not count.
    private const int Times = 20;

    /// <summary>Every activation.</summary>
    /// <param name="rowSeconds">A row's own part of a backward pass.</param>
    public IReadOnlyList<ActivationRate> Activations(double rowSeconds) =>
        [.. Enum.GetValues<ActivationKind>().Select(kind => Activation(kind, kind == ActivationKind.Softmax ? NarrowWidth : Width, rowSeconds))];

    /// <summary>A row of a backward pass, from a layer with hardly any values a row.</summary>
    public double RowSeconds() => Math.Max(0, Backward(ActivationKind.Linear, 1) / Rows);

    /// <summary>A value of the softmax's loss and its gradient, at few classes.</summary>
    public double LossSeconds()
    {
        StageProgram<float> program = Program(ActivationKind.Softmax, NarrowWidth);
        using Tensor<float> output = new(Rows, NarrowWidth), stash = new(1, program.StashLength(Rows)), target = new(Rows, NarrowWidth), signal = new(Rows, NarrowWidth);
        output.Span.Fill(1f / NarrowWidth);
        for (int row = 0; row < Rows; row++)
        {
            target.Span[(row * NarrowWidth) + (row % NarrowWidth)] = 1;
        }

        using ComputeScratch scratch = new();
        return Repeated(() => program.Loss(output.View, stash.View, target.View, signal.View, 1.0 / Rows, scratch)) / (Rows * NarrowWidth);
    }

    /// <summary>A value of a stage's output in a similarity loss, its products apart.</summary>
    public double SimilaritySeconds()
    {
        NetworkSpec network = new(Inputs, [new DenseSpec(Width, ActivationKind.Relu), new DenseSpec(NarrowWidth, ActivationKind.Softmax)]);
        LocalRuleSpec rule = new()
        {
            Kind = LocalRuleKind.Similarity, Network = network, Stage = 0, FirstLayer = 0, LayerCount = 1, Loss = LossKind.CrossEntropy,
        };
        LocalLoss<float> loss = LocalRules.LossOf<float>(rule);
        using Tensor<float> map = new(Width, Width), gradient = new(Width, Width), output = new(Rows, Width), signal = new(Rows, Width);
        using Tensor<float> target = new(Rows, NarrowWidth), pairs = new(Rows, Rows);
        using ComputeScratch scratch = new();
        Fill(map.Span);
        Fill(output.Span);
        Fill(target.Span);
        TensorView<float>[] parameters = [map.View], gradients = [gradient.View];
        double whole = Repeated(() => loss.Signal(parameters, default, output.View, target.View, signal.View, gradients, false, 1.0 / Rows, scratch));
        double products = Repeated(() =>
        {
            Gemm.Multiply(output.View, false, map.View, true, signal.View);
            Gemm.Multiply(output.View, false, output.View, true, pairs.View);
            Gemm.Multiply(target.View, false, target.View, true, pairs.View);
            Gemm.Multiply(pairs.View, false, output.View, false, signal.View);
            Gemm.Multiply(output.View, true, output.View, false, gradient.View);
            Gemm.Multiply(output.View, false, map.View, false, signal.View);
        });
        return Math.Max(0, whole - products) / (Rows * Width);
    }

    /// <summary>Every optimizer, on a working set that is in the nearest caches.</summary>
    public IReadOnlyList<UpdateRate> Updates()
    {
        const int Length = 8192;
        return [.. Enum.GetValues<OptimizerKind>().Select(kind => new UpdateRate(kind, Update(kind, Length, Milliseconds) / Length))];
    }

    /// <summary>Updates with momentum on working sets of growing size: three values read and two written each.</summary>
    public IReadOnlyList<StreamRate> Streams()
    {
        const int Streams = 5;
        return
        [
            .. new[] { 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 27 }.Select(bytes =>
            {
                int length = bytes / (Streams * sizeof(float));
                return new StreamRate(bytes, 1e-9 * Streams * sizeof(float) * length / Update(OptimizerKind.Sgd, length, StreamMilliseconds));
            }),
        ];
    }

    /// <summary>Initial weights drawn a second.</summary>
    public double Draws()
    {
        const int DrawInputs = 4096, Units = 64;
        NetworkSpec network = new(DrawInputs, [new DenseSpec(Units, ActivationKind.Relu)]);
        ParameterSpec weight = new("layers.0.weight", 0, Units, DrawInputs);
        using Tensor<float> values = new(Units, DrawInputs);
        return values.Span.Length / fastest.Seconds(Milliseconds, () => ParameterInitializer.Fill(network, weight, 1, values.Span));
    }

    private double Update(OptimizerKind kind, int length, double milliseconds)
    {
        Optimizer<float> optimizer = new(new OptimizerSpec(kind, 0.1) { Momentum = kind == OptimizerKind.Sgd ? 0.9 : 0 });
        int states = optimizer.StateCount;
        using Tensor<float> w = new(1, length), g = new(1, length), v = new(1, length * states), nextW = new(1, length), nextV = new(1, length * states);
        return fastest.Seconds(milliseconds, () => optimizer.Apply(0.1, 1, 1, w.Span, g.Span, v.Span, nextW.Span, nextV.Span));
    }

    private ActivationRate Activation(ActivationKind kind, int width, double rowSeconds)
    {
        double values = Rows * (double)width;
        return new ActivationRate(
            kind, Math.Max(0, Forward(kind, width)) / values, Math.Max(0, Backward(kind, width) - (Rows * rowSeconds)) / values);
    }

    /// <summary>A pass forward without its product.</summary>
    private double Forward(ActivationKind kind, int width)
    {
        StageProgram<float> program = Program(kind, width);
        using Tensor<float> x = new(Rows, Inputs), y = new(Rows, width), stash = new(1, Math.Max(1, program.StashLength(Rows)));
        using Parameters parameters = new(program);
        using ComputeScratch scratch = new();
        Fill(x.Span);
        PassContext context = new(1, 0, 0, true);
        TensorView<float>[] views = parameters.Views;
        double pass = Repeated(() => program.Forward(new StagePass<float>(views, x.View, y.View, stash.View, context, scratch)));
        return pass - Repeated(() => Gemm.Multiply(x.View, false, views[0], true, y.View));
    }

    /// <summary>A pass backward without its product.</summary>
    private double Backward(ActivationKind kind, int width)
    {
        StageProgram<float> program = Program(kind, width);
        using Tensor<float> x = new(Rows, Inputs), y = new(Rows, width), stash = new(1, Math.Max(1, program.StashLength(Rows))), signal = new(Rows, width);
        using Parameters parameters = new(program), gradients = new(program);
        using ComputeScratch scratch = new();
        Fill(x.Span);
        Fill(signal.Span);
        PassContext context = new(1, 0, 0, true);
        TensorView<float>[] views = parameters.Views, written = gradients.Views;
        program.Forward(new StagePass<float>(views, x.View, y.View, stash.View, context, scratch));
        double pass = Repeated(() => program.Backward(
            new StagePass<float>(views, x.View, y.View, stash.View, context, scratch), new StageSignals<float>(signal.View, default, written, accumulate: false)));
        return pass - Repeated(() => Gemm.Multiply(signal.View, true, x.View, false, written[0]));
    }

    private static StageProgram<float> Program(ActivationKind kind, int width) =>
        new(new NetworkSpec(Inputs, [new DenseSpec(width, kind)]), 0, 1, kind == ActivationKind.Softmax ? LossKind.CrossEntropy : LossKind.HalfSquaredError);

    private double Repeated(Action piece) => fastest.Seconds(Milliseconds, () =>
    {
        for (int time = 0; time < Times; time++)
        {
            piece();
        }
    }) / Times;

    /// <summary>Values of both signs, none of them denormal.</summary>
    private static void Fill(Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ((i % 7) - 3) * 0.25f;
        }
    }

    /// <summary>A layer's tensors.</summary>
    private sealed class Parameters : IDisposable
    {
        private readonly Tensor<float>[] _tensors;

        public Parameters(StageProgram<float> program)
        {
            _tensors = [.. program.Parameters.Select(parameter => new Tensor<float>(parameter.Rows, parameter.Columns))];
            foreach (Tensor<float> tensor in _tensors)
            {
                Fill(tensor.Span);
            }
        }

        public TensorView<float>[] Views => [.. _tensors.Select(tensor => tensor.View)];

        public void Dispose()
        {
            foreach (Tensor<float> tensor in _tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
