using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Commands.Papers.WorkedExample;

/// <summary>One dense layer of the library with given weights, on one row.</summary>
internal sealed class SmallStage : IDisposable
{
    private readonly StageProgram<double> _program;
    private readonly ComputeScratch _scratch = new();
    private readonly List<Tensor<double>> _owned = [];
    private readonly TensorView<double>[] _parameters, _gradients;
    private readonly TensorView<double> _input, _output, _stash;
    private readonly PassContext _context = new(Seed: 0, Step: 0, FirstSample: 0, Training: true);

    /// <summary>y = f(x Wᵀ + b).</summary>
    /// <param name="activation">f.</param>
    /// <param name="weight">W, row by row: units × inputs.</param>
    /// <param name="bias">b, one per unit; empty for none.</param>
    /// <param name="input">x.</param>
    /// <param name="loss">The loss behind the layer; null for none.</param>
    public SmallStage(ActivationKind activation, double[] weight, double[] bias, double[] input, LossKind? loss = null)
    {
        int units = weight.Length / input.Length;
        NetworkSpec network = new(input.Length, [new DenseSpec(units, activation, Bias: bias.Length > 0)]);
        _program = new StageProgram<double>(network, 0, 1, loss);
        _parameters = bias.Length > 0 ? [Own(units, input.Length, weight), Own(1, units, bias)] : [Own(units, input.Length, weight)];
        _gradients = [.. _program.Parameters.Select(parameter => Own(parameter.Rows, parameter.Columns, []))];
        (_input, _output) = (Own(1, input.Length, input), Own(1, units, []));
        _stash = Own(1, Math.Max(1, _program.StashLength(1)), []);
        _program.Forward(Pass);
    }

    /// <summary>y.</summary>
    public double[] Output => _output.Span.ToArray();

    private StagePass<double> Pass => new(_parameters, _input, _output, _stash, _context, _scratch);

    /// <summary>E and dE/dy for a target.</summary>
    public (double Loss, double[] Gradient) Loss(params double[] target)
    {
        TensorView<double> signal = Own(1, target.Length, []);
        LossResult result = _program.Loss(_output, _stash, Own(1, target.Length, target), signal, 1, _scratch);
        return (result.LossSum, signal.Span.ToArray());
    }

    /// <summary>From dE/dy: dE/dW, dE/db (dE/d(net), for one row) and dE/dx.</summary>
    public (double[] Weight, double[] Bias, double[] Input) Backward(params double[] signal)
    {
        TensorView<double> inputSignal = Own(1, _program.InputWidth, []);
        _program.Backward(Pass, new StageSignals<double>(Own(1, signal.Length, signal), inputSignal, _gradients, accumulate: false));
        return (_gradients[0].Span.ToArray(), _gradients.Length > 1 ? _gradients[1].Span.ToArray() : [], inputSignal.Span.ToArray());
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

    private TensorView<double> Own(int rows, int columns, ReadOnlySpan<double> values)
    {
        Tensor<double> tensor = new(rows, columns);
        values.CopyTo(tensor.Span);
        _owned.Add(tensor);
        return tensor.View;
    }
}
