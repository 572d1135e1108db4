using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Runs;

/// <summary>Measures the health of a network's layers.</summary>
internal abstract class HealthProbe
{
    /// <summary>Names of the parameters that <see cref="Measure"/> asks for.</summary>
    public abstract IReadOnlyList<string> Parameters { get; }

    /// <summary>The step last measured; −1 for none.</summary>
    public long LastStep { get; protected set; } = -1;

    /// <summary>The health of every layer that has parameters, in order.</summary>
    /// <param name="step">The step that the parameters are of.</param>
    /// <param name="values">Little-endian values by name, row by row, in the probe's precision.</param>
    public abstract IReadOnlyList<LayerHealth> Measure(long step, Func<string, ReadOnlyMemory<byte>> values);
}

/// <summary>Measures on the first training rows, always the same ones.</summary>
internal sealed class HealthProbe<T> : HealthProbe
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int RowsMax = 256;
    private const double NearBound = 0.01;
    private static readonly PassContext Context = new(Seed: 0, Step: 0, FirstSample: 0, Training: false);
    private readonly NetworkSpec _network;
    private readonly StageProgram<T> _whole;
    private readonly StageProgram<T>[] _layers;
    private readonly DataSet<T> _data;
    private readonly int[] _rows;
    private T[][] _before = [];

    /// <summary>A probe of a network. Throws <see cref="InvalidInputException"/> where layers share weights.</summary>
    public HealthProbe(NetworkSpec network, LossKind loss, DataSet<T> data)
    {
        if (network.Layers.Any(layer => layer is DenseSpec { TiedTo: not null }))
        {
            throw new InvalidInputException("--health: layers with tied weights cannot be measured one by one; leave the option out");
        }

        (_network, _data) = (network, data);
        _whole = new StageProgram<T>(network, 0, network.Layers.Count, loss);
        _layers = [.. Enumerable.Range(0, network.Layers.Count).Select(layer => new StageProgram<T>(network, layer, 1))];
        _rows = [.. Enumerable.Range(0, Math.Min(RowsMax, data.Rows))];
        Parameters = [.. _whole.Parameters.Select(spec => spec.Name)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Parameters { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<LayerHealth> Measure(long step, Func<string, ReadOnlyMemory<byte>> values)
    {
        Tensor<T>[] parameters = [.. _whole.Parameters.Select(spec => new Tensor<T>(spec.Rows, spec.Columns, MemoryMarshal.Cast<byte, T>(values(spec.Name).Span)))];
        Tensor<T>[] gradients = [.. _whole.Parameters.Select(spec => new Tensor<T>(spec.Rows, spec.Columns))];
        using ComputeScratch scratch = new();
        try
        {
            (double Zero, double Dead, double Saturated)[] outputs = Outputs(parameters, scratch);
            Differentiate(parameters, gradients, scratch);
            T[][] now = [.. parameters.Select(parameter => parameter.Span.ToArray())];
            List<LayerHealth> health = [];
            for (int layer = 0; layer < _layers.Length; layer++)
            {
                int[] own = [.. Enumerable.Range(0, parameters.Length).Where(index => _whole.Parameters[index].Layer == layer)];
                if (own.Length > 0)
                {
                    health.Add(new LayerHealth(
                        string.Create(CultureInfo.InvariantCulture, $"layers.{layer}"), outputs[layer].Zero, outputs[layer].Dead, outputs[layer].Saturated,
                        Norm(own, index => gradients[index].Span.ToArray(), null), UpdateRatio(own, now, step)));
                }
            }

            (_before, LastStep) = (now, step);
            return health;
        }
        finally
        {
            foreach (Tensor<T> tensor in parameters.Concat(gradients))
            {
                tensor.Dispose();
            }
        }
    }

    private static double Norm(int[] own, Func<int, T[]> values, Func<int, T[]>? minus)
    {
        double sum = 0;
        foreach (int index in own)
        {
            T[] value = values(index);
            T[]? other = minus?.Invoke(index);
            for (int i = 0; i < value.Length; i++)
            {
                double difference = double.CreateChecked(value[i]) - (other is null ? 0 : double.CreateChecked(other[i]));
                sum += difference * difference;
            }
        }

        return Math.Sqrt(sum);
    }

    private double UpdateRatio(int[] own, T[][] now, long step) => _before.Length == 0 || step <= LastStep
        ? double.NaN
        : Norm(own, index => now[index], index => _before[index]) / (step - LastStep) / Norm(own, index => now[index], null);

    /// <summary>Runs forward layer by layer and looks at what comes out of each.</summary>
    private (double Zero, double Dead, double Saturated)[] Outputs(Tensor<T>[] parameters, ComputeScratch scratch)
    {
        (double, double, double)[] found = new (double, double, double)[_layers.Length];
        Tensor<T> input = new(_rows.Length, _network.Inputs);
        _data.CopyInputs(_rows, input.Span);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            StageProgram<T> program = _layers[layer];
            TensorView<T>[] own = [.. parameters.Where((_, index) => _whole.Parameters[index].Layer == layer).Select(parameter => parameter.View)];
            Tensor<T> output = new(_rows.Length, program.OutputWidth);
            using Tensor<T> stash = new(1, Math.Max(1, program.StashLength(_rows.Length)));
            program.Forward(new StagePass<T>(own, input.View, output.View, stash.View, Context, scratch));
            found[layer] = Look(output, Bounds(_network.Layers[layer]));
            input.Dispose();
            input = output;
        }

        input.Dispose();
        return found;
    }

    /// <summary>Least and greatest value of a saturating activation; null for others.</summary>
    private static (double Least, double Greatest)? Bounds(LayerSpec layer) => layer switch
    {
        KCompetitiveSpec or DenseSpec { Activation: ActivationKind.Tanh } => (-1, 1),
        DenseSpec { Activation: ActivationKind.Sigmoid } => (0, 1),
        _ => null,
    };

    private static (double Zero, double Dead, double Saturated) Look(Tensor<T> output, (double Least, double Greatest)? bounds)
    {
        (long zero, long saturated) = (0, 0);
        bool[] lives = new bool[output.Columns];
        for (int row = 0; row < output.Rows; row++)
        {
            Span<T> values = output.View.Row(row);
            for (int unit = 0; unit < values.Length; unit++)
            {
                double value = double.CreateChecked(values[unit]);
                zero += value == 0 ? 1 : 0;
                lives[unit] |= value != 0;
                saturated += bounds is (double least, double greatest) && (value < least + NearBound || value > greatest - NearBound) ? 1 : 0;
            }
        }

        double all = (double)output.Rows * output.Columns;
        return (zero / all, lives.Count(isAlive => !isAlive) / (double)output.Columns, bounds is null ? double.NaN : saturated / all);
    }

    private void Differentiate(Tensor<T>[] parameters, Tensor<T>[] gradients, ComputeScratch scratch)
    {
        int rows = _rows.Length;
        using Tensor<T> input = new(rows, _network.Inputs), output = new(rows, _whole.OutputWidth), target = new(rows, _data.Targets), signal = new(rows, _whole.OutputWidth);
        using Tensor<T> stash = new(1, Math.Max(1, _whole.StashLength(rows)));
        _data.CopyInputs(_rows, input.Span);
        _data.CopyTargets(_rows, target.Span);
        TensorView<T>[] weights = [.. parameters.Select(parameter => parameter.View)], into = [.. gradients.Select(gradient => gradient.View)];
        StagePass<T> pass = new(weights, input.View, output.View, stash.View, Context, scratch);
        _whole.Forward(pass);
        _whole.Loss(output.View, stash.View, target.View, signal.View, 1.0 / rows, scratch);
        _whole.Backward(pass, new StageSignals<T>(signal.View, default, into, accumulate: false));
    }
}
