using DistTrain.Data;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Commands.Papers.XorInit;

/// <summary>How one start ended.</summary>
/// <param name="Epochs">Passes over the four rows until XOR was learnt; null if it never was.</param>
/// <param name="GradientNorm">Of the mean loss over all four rows at the end.</param>
internal readonly record struct XorEnding(int? Epochs, double GradientNorm);

/// <summary>Trains one variant from many starts; one instance for each thread.</summary>
internal sealed class XorTrainer : IDisposable
{
    /// <summary>Rows of XOR.</summary>
    public const int Rows = 4;

    // An output counts as right within this distance of its target, which leaves a gap between the classes (Fahlman 1988).
    private const double Margin = 0.4;

    private static readonly double[] Inputs = [0, 0, 0, 1, 1, 0, 1, 1], Targets = [0, 1, 1, 0];
    private readonly XorVariant _variant;
    private readonly NetworkSpec _network;
    private readonly StageProgram<double> _program;
    private readonly Optimizer<double> _optimizer;
    private readonly ComputeScratch _scratch = new();
    private readonly List<Tensor<double>> _owned = [];
    private readonly TensorView<double>[] _weights, _gradients, _state;
    private readonly TensorView<double> _input, _target, _output, _signal, _stash;

    /// <summary>A trainer of one variant.</summary>
    public XorTrainer(XorVariant variant)
    {
        _variant = variant;
        InitializerSpec uniform = new(InitializerKind.Uniform, 0, 1);
        _network = new NetworkSpec(2,
        [
            new DenseSpec(variant.Units, variant.Activation, Initializer: uniform),
            new DenseSpec(1, ActivationKind.Sigmoid, Initializer: uniform),
        ]);
        _program = new StageProgram<double>(_network, 0, 2, LossKind.HalfSquaredError);
        _optimizer = new Optimizer<double>(OptimizerDefaults.For(OptimizerKind.Sgd, variant.LearningRate) with { Momentum = variant.Momentum });
        _weights = [.. _program.Parameters.Select(parameter => Own(parameter.Rows, parameter.Columns))];
        _gradients = [.. _program.Parameters.Select(parameter => Own(parameter.Rows, parameter.Columns))];
        _state = [.. _program.Parameters.Select(parameter => Own(_optimizer.StateCount, parameter.Length))];
        (_input, _target, _output, _signal) = (Own(Rows, 2), Own(Rows, 1), Own(Rows, 1), Own(Rows, 1));
        _stash = Own(1, _program.StashLength(Rows));
        Inputs.CopyTo(_input.Span);
        Targets.CopyTo(_target.Span);
    }

    /// <summary>Trains from one start until XOR is learnt or the epochs are over.</summary>
    public XorEnding Train(ulong seed, int epochs)
    {
        for (int i = 0; i < _weights.Length; i++)
        {
            ParameterInitializer.Fill(_network, _program.Parameters[i], seed, _weights[i].Span);
            _state[i].Span.Clear();
        }

        BatchOrder order = new(seed, Rows, _variant.BatchSize, shuffle: true);
        long step = 0;
        for (int epoch = 0; epoch <= epochs; epoch++)
        {
            ComputeGradients(0, Rows);
            if (IsLearnt())
            {
                return new XorEnding(epoch, GradientNorm());
            }

            for (int batch = 0; batch < Rows / _variant.BatchSize && epoch < epochs; batch++)
            {
                if (_variant.BatchSize < Rows)
                {
                    ComputeGradients(order.RowsOf(step, 0, 1)[0], 1);
                }

                Update(++step);
            }
        }

        return new XorEnding(null, GradientNorm());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor<double> tensor in _owned)
        {
            tensor.Dispose();
        }

        _scratch.Dispose();
    }

    private void ComputeGradients(int first, int rows)
    {
        TensorView<double> x = _input.Slice(2 * first, rows, 2), y = _output.Slice(0, rows, 1), signal = _signal.Slice(0, rows, 1);
        PassContext context = new(Seed: 0, Step: 0, FirstSample: first, Training: true);
        StagePass<double> pass = new(_weights, x, y, _stash, context, _scratch);
        _program.Forward(pass);
        _program.Loss(y, _stash, _target.Slice(first, rows, 1), signal, 1.0 / rows, _scratch);
        _program.Backward(pass, new StageSignals<double>(signal, default, _gradients, accumulate: false));
    }

    private void Update(long step)
    {
        for (int i = 0; i < _weights.Length; i++)
        {
            Span<double> weights = _weights[i].Span, state = _state[i].Span;
            _optimizer.Apply(_variant.LearningRate, step, 1, weights, _gradients[i].Span, state, weights, state);
        }
    }

    private bool IsLearnt()
    {
        for (int row = 0; row < Rows; row++)
        {
            if (!(Math.Abs(_output.Span[row] - Targets[row]) < Margin))
            {
                return false;
            }
        }

        return true;
    }

    private double GradientNorm()
    {
        double squares = 0;
        foreach (TensorView<double> gradient in _gradients)
        {
            foreach (double value in gradient.Span)
            {
                squares += value * value;
            }
        }

        return Math.Sqrt(squares);
    }

    private TensorView<double> Own(int rows, int columns)
    {
        Tensor<double> tensor = new(rows, columns);
        _owned.Add(tensor);
        return tensor.View;
    }
}
