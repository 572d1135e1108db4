using System.Numerics;
using DistTrain.Data;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Runs;

/// <summary>Loss and accuracy over some rows; NaN and null where there is nothing to say.</summary>
internal sealed record Evaluation(int Rows, double Loss, double? Accuracy);

/// <summary>Runs a trained network in evaluation form (no dropout, no competition), as one stage in batches of rows.</summary>
internal sealed class ModelRunner<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static readonly PassContext Context = new(Seed: 0, Step: 0, FirstSample: 0, Training: false);
    private readonly StageProgram<T> _program;
    private readonly Tensor<T>[] _parameters;
    private readonly ComputeScratch _scratch = new();

    /// <summary>A network with its weights.</summary>
    /// <param name="network">The whole network.</param>
    /// <param name="loss">Needed by <see cref="Evaluate"/> only.</param>
    /// <param name="values">The values of a parameter by its name.</param>
    public ModelRunner(NetworkSpec network, LossKind? loss, Func<string, ReadOnlySpan<T>> values)
    {
        _program = new StageProgram<T>(network, 0, network.Layers.Count, loss);
        _parameters = [.. _program.Parameters.Select(spec => new Tensor<T>(spec.Rows, spec.Columns, values(spec.Name)))];
    }

    /// <summary>Mean loss and, where targets are classes, the share of rows classified right.</summary>
    public Evaluation Evaluate(DataSet<T> data)
    {
        (double lossSum, long correct) = (0, 0);
        using Tensor<T> targets = new(Limits.EvaluationRowsMax, data.Targets);
        ForEachBatch(data, (rows, output, stash) =>
        {
            TensorView<T> target = targets.View.Slice(0, rows.Length, data.Targets);
            data.CopyTargets(rows, target.Span);
            LossResult result = _program.Loss(output, stash, target, default, 1.0 / data.Rows, _scratch);
            lossSum += result.LossSum;
            correct += result.Correct;
        });
        return new Evaluation(data.Rows, lossSum / data.Rows, data.TargetsAreClasses ? (double)correct / data.Rows : null);
    }

    /// <summary>The outputs of every row.</summary>
    public double[][] Outputs(DataSet<T> data)
    {
        List<double[]> outputs = new(data.Rows);
        ForEachBatch(data, (rows, output, _) =>
        {
            for (int row = 0; row < rows.Length; row++)
            {
                outputs.Add([.. output.Row(row).ToArray().Select(double.CreateChecked)]);
            }
        });
        return [.. outputs];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor<T> parameter in _parameters)
        {
            parameter.Dispose();
        }

        _scratch.Dispose();
    }

    private void ForEachBatch(DataSet<T> data, Action<int[], TensorView<T>, TensorView<T>> use)
    {
        int most = Math.Min(Limits.EvaluationRowsMax, data.Rows);
        using Tensor<T> input = new(most, _program.InputWidth), output = new(most, _program.OutputWidth);
        using Tensor<T> stash = new(1, Math.Max(1, _program.StashLength(most)));
        TensorView<T>[] parameters = [.. _parameters.Select(parameter => parameter.View)];
        for (int first = 0; first < data.Rows; first += most)
        {
            int[] rows = [.. Enumerable.Range(first, Math.Min(most, data.Rows - first))];
            TensorView<T> x = input.View.Slice(0, rows.Length, _program.InputWidth);
            TensorView<T> y = output.View.Slice(0, rows.Length, _program.OutputWidth);
            data.CopyInputs(rows, x.Span);
            _program.Forward(new StagePass<T>(parameters, x, y, stash.View, Context, _scratch));
            use(rows, y, stash.View);
        }
    }
}
