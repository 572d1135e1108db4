using DistTrain.Numerics.Compression;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>The run as a plain loop, with no actors: what every run of a synchronous method must give.</summary>
internal sealed class SymbolicTrainer
{
    private readonly RunPlan _plan;
    private readonly ulong[] _weights, _states;
    private readonly ulong[,] _residuals;

    public SymbolicTrainer(RunPlan plan)
    {
        _plan = plan;
        _weights = [.. plan.Slices.Select(slice => SymbolicJobs.Initial(slice.Index))];
        _states = new ulong[_weights.Length];
        _residuals = new ulong[plan.Settings.Replicas, _weights.Length];
        Weights.Add([.. _weights]);
        Losses.Add(0);
        for (long step = 1; step <= plan.TotalSteps; step++)
        {
            Step(step);
            Weights.Add([.. _weights]);
        }
    }

    /// <summary>The weights of every slice after each step, from step 0.</summary>
    public List<ulong[]> Weights { get; } = [];

    /// <summary>The loss sum of each step.</summary>
    public List<double> Losses { get; } = [];

    /// <summary>Mean loss of a split with the weights after a step.</summary>
    public double Evaluate(long step, DataSplit split)
    {
        int rows = split == DataSplit.Train ? _plan.TrainRows : _plan.TestRows, replicas = _plan.Settings.Replicas;
        double[] sums = new double[replicas];
        for (int batch = 0; batch * Limits.EvaluationRowsMax < rows; batch++)
        {
            int first = batch * Limits.EvaluationRowsMax, count = Math.Min(Limits.EvaluationRowsMax, rows - first);
            ulong value = SymbolicJobs.Load(split, false, 0, first, count);
            foreach (StagePlan stage in _plan.Stages)
            {
                value = SymbolicJobs.Forward(stage.Index, value, Of(Weights[(int)step], stage));
            }

            sums[batch % replicas] += SymbolicJobs.Loss(value, SymbolicJobs.Load(split, true, 0, first, count), count).LossSum;
        }

        return sums.Sum() / rows;
    }

    private static ulong[] Of(ulong[] slices, StagePlan stage) => [.. stage.Slices.Select(slice => slices[slice])];

    private void Step(long step)
    {
        int replicas = _plan.Settings.Replicas;
        ulong[][] gradients = [.. Enumerable.Range(0, _weights.Length).Select(_ => new ulong[replicas])];
        double loss = 0;
        for (int replica = 0; replica < replicas; replica++)
        {
            double replicaLoss = 0;
            for (int microBatch = 0; microBatch < _plan.Settings.Training.MicroBatches; microBatch++)
            {
                replicaLoss += Pass(step, replica, microBatch, gradients);
            }

            loss += replicaLoss;
        }

        Losses.Add(loss);
        Update(step, gradients);
    }

    private double Pass(long step, int replica, int microBatch, ulong[][] gradients)
    {
        (int first, int rows) = _plan.RowsOf(step, replica, microBatch);
        ulong[] values = new ulong[_plan.Stages.Count + 1];
        values[0] = SymbolicJobs.Load(DataSplit.Train, false, step, first, rows);
        foreach (StagePlan stage in _plan.Stages)
        {
            values[stage.Index + 1] = SymbolicJobs.Forward(stage.Index, values[stage.Index], Of(_weights, stage));
        }

        ulong target = SymbolicJobs.Load(DataSplit.Train, true, step, first, rows);
        ulong signal = SymbolicJobs.Signal(values[^1], target, 1.0 / _plan.RowsInStep(step));
        foreach (StagePlan stage in _plan.Stages.Reverse())
        {
            foreach (int slice in stage.Slices)
            {
                gradients[slice][replica] = SymbolicJobs.Gradient(gradients[slice][replica], slice, signal, values[stage.Index]);
            }

            signal = SymbolicJobs.Below(signal, values[stage.Index + 1], Of(_weights, stage));
        }

        return SymbolicJobs.Loss(values[^1], target, rows).LossSum;
    }

    private void Update(long step, ulong[][] gradients)
    {
        for (int slice = 0; slice < gradients.Length; slice++)
        {
            for (int replica = 0; replica < gradients[slice].Length && _plan.Settings.ParameterServer.Compression != CompressionKind.None; replica++)
            {
                (gradients[slice][replica], ulong residual) = SymbolicJobs.Compress(gradients[slice][replica], _residuals[replica, slice]);
                _residuals[replica, slice] = _plan.CarriesResidual ? residual : 0;
            }
        }

        double scale = _plan.NeedsDecision ? SymbolicJobs.Scale([.. gradients.Select(gradient => SymbolicJobs.Partials(gradient))]) : 1;
        for (int slice = 0; slice < gradients.Length; slice++)
        {
            (_weights[slice], _states[slice]) = SymbolicJobs.Apply(
                _weights[slice], _states[slice], gradients[slice], _plan.LearningRate(step), scale, step);
        }
    }
}
