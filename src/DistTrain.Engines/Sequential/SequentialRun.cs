using System.Numerics;
using System.Runtime.InteropServices;
using DistTrain.Data;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Sequential;

/// <summary>One sequential run: the textbook loop over epochs, steps, replicas and micro-batches.</summary>
internal sealed class SequentialRun<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunPlan _plan;
    private readonly TrainTest<T> _rows;
    private readonly BatchOrder _order;
    private readonly StageProgram<T> _program;
    private readonly ParameterUpdates<T> _rule;
    private readonly SequentialParameters<T> _parameters;
    private readonly RunRecorder _recorder;
    private readonly ComputeScratch _scratch = new();
    private readonly SequentialAggregation<T> _aggregation;
    private readonly Tensor<T> _input, _output, _target, _signal, _stash;
    private readonly int[] _inOrder;
    private readonly RunRequest _request;
    private readonly SequentialContributions<T>? _contributions;
    private readonly SequentialStages<T>? _stages;
    private readonly Func<int, bool>? _isUpdated;
    private CoordinatorProgress _progress = new();
    private double _epochLossSum;
    private long _epochCorrect, _epochRows;

    public SequentialRun(RunRequest request, RunPlan plan, IRunObserver observer, TimeProvider time)
    {
        RunSettings settings = plan.Settings;
        _plan = plan;
        _rows = request.Data.As<T>();
        _order = new BatchOrder(settings.Seed, plan.TrainRows, settings.Training.BatchSize, settings.Training.Shuffle);
        _program = new StageProgram<T>(plan.Network, 0, plan.Network.Layers.Count, settings.Loss, plan.FactoredRows);
        Optimizer<T> optimizer = new(settings.Optimizer);
        _rule = new ParameterUpdates<T>(plan, optimizer);
        _recorder = new RunRecorder(plan, request.Data.TargetsAreClasses, observer, time);
        bool inStages = SequentialStages<T>.Serves(plan.Method);
        _parameters = new SequentialParameters<T>(plan, optimizer, _rule, updatesAll: !inStages, _scratch);
        _aggregation = new SequentialAggregation<T>(plan, _parameters.Specs, _rule, _scratch);
        int rows = Math.Max(settings.Training.BatchSize, Limits.EvaluationRowsMax);
        (_input, _output) = (new Tensor<T>(rows, _program.InputWidth), new Tensor<T>(rows, _program.OutputWidth));
        (_target, _signal) = (new Tensor<T>(rows, _program.OutputWidth), new Tensor<T>(rows, _program.OutputWidth));
        _stash = new Tensor<T>(1, _program.StashLength(rows));
        _inOrder = [.. Enumerable.Range(0, Math.Max(plan.TrainRows, plan.TestRows))];
        _request = request;
        _parameters.Initialize(request);
        _stages = inStages ? new SequentialStages<T>(plan, _rows.Train, _order, _scratch) : null;
        _isUpdated = _stages is { } stages ? parameter => stages.Updates[stages.StageOf(parameter)] : null;
        _contributions = plan.Front is FrontContributionPlan front
            ? new SequentialContributions<T>(front, _rows, (parameter, weight) => InitialParameters.Fill(request, plan, parameter, weight.View.Span), _scratch)
            : null;
    }

    public RunOutcome ToEnd(CancellationToken stop)
    {
        RunEnded ended = new(RunEnd.Completed, _plan.TotalSteps, "");
        for (long step = 1; step <= _plan.TotalSteps; step++)
        {
            if (stop.IsCancellationRequested)
            {
                ended = new RunEnded(RunEnd.Stopped, step - 1, "");
                break;
            }

            if (!TryStep(step, out string reason))
            {
                ended = new RunEnded(RunEnd.Diverged, step - 1, reason);
                break;
            }

            if (_plan.EndsEpoch(step) && EndsAfterEpoch(step))
            {
                ended = new RunEnded(RunEnd.Completed, step, "");
                break;
            }
        }

        if (ended.End == RunEnd.Completed)
        {
            LossResult train = Evaluate(DataSplit.Train);
            _recorder.On(new EvaluationCompleted(
                _progress.Step, DataSplit.Train, train.LossSum / train.Rows, (double)train.Correct / train.Rows));
        }

        _recorder.On(ended);
        TensorView<T>[] results = Results();
        KeptParameters parameters = new(results.Length);
        for (int index = 0; index < results.Length; index++)
        {
            parameters.Keep(index, MemoryMarshal.AsBytes(results[index].Span));
        }

        return _recorder.Outcome(parameters, []) with { FrontContribution = new AloneCounter(_plan).Outcome };
    }

    public void Dispose()
    {
        _parameters.Dispose();
        foreach (Tensor<T> tensor in (Tensor<T>[])[_input, _output, _target, _signal, _stash])
        {
            tensor.Dispose();
        }

        _aggregation.Dispose();
        _contributions?.Dispose();
        _stages?.Dispose();
        _scratch.Dispose();
    }

    /// <summary>The experiment's own parameters, in layer order.</summary>
    private TensorView<T>[] Results()
    {
        if (_contributions is null)
        {
            return NetworkWeights();
        }

        FrontContributionPlan front = _plan.Front!;
        TensorView<T> expanded = _parameters.Own(front.Outputs, front.Inputs);
        TensorView<T>[] weights = _parameters.Weights;
        _contributions.Expand(weights[0], weights[1].Span[0], expanded);
        return [expanded, .. Enumerable.Range(2, weights.Length - 2).Select(Result)];
    }

    private TensorView<T> Result(int index)
    {
        ParameterSpec parameter = _parameters.Specs[index], result = _rule.ResultOf(parameter);
        if (result == parameter)
        {
            return _parameters.Weights[index];
        }

        TensorView<T> weight = _parameters.Own(result.Rows, result.Columns);
        _rule.Expand(parameter, _parameters.Weights[index], _parameters.StateOf(index).Span, weight, default, _scratch);
        return weight;
    }

    private void CopyInputs(DataSplit split, ReadOnlySpan<int> indices, TensorView<T> input)
    {
        if (_contributions is not null)
        {
            _contributions.CopyInputs(split, indices, input);
        }
        else
        {
            (split == DataSplit.Train ? _rows.Train : _rows.Test!).CopyInputs(indices, input.Span);
        }
    }

    private bool TryStep(long step, out string reason)
    {
        double lossSum = 0;
        int correct = 0, nonFinite = -1;
        for (int replica = 0; replica < _plan.Settings.Replicas; replica++)
        {
            // A replica's own sum first, then the replicas in order: the coordinator adds in the same way.
            double replicaLoss = 0;
            for (int microBatch = 0; microBatch < _plan.Settings.Training.MicroBatches; microBatch++)
            {
                LossResult loss = MicroBatch(step, replica, microBatch, ref nonFinite);
                replicaLoss += loss.LossSum;
                correct += loss.Correct;
            }

            lossSum += replicaLoss;
        }

        if (!double.IsFinite(lossSum))
        {
            reason = $"the loss of step {step} is not finite; layer {nonFinite} was the first with values that are not finite";
            return false;
        }

        double rate = _plan.LearningRate(step) * _progress.RateFactor;
        _aggregation.Combine(_parameters.Gradients);
        if (_plan.Front is not null)
        {
            ContributedNorm.Clear(_parameters.Specs, _aggregation.Gradients);
        }

        if (_parameters.Update(rate, _aggregation.Scale, _aggregation.Gradients, _isUpdated) is >= 0 and int failed)
        {
            reason = $"the update of step {step} is not finite; {_parameters.Specs[failed].Name} was the first with values that are not finite";
            return false;
        }

        int rows = _plan.RowsInStep(step);
        _epochLossSum += lossSum;
        _epochCorrect += correct;
        _epochRows += rows;
        _recorder.Committed(step, lossSum, correct, rows, rate);
        reason = "";
        return true;
    }

    private LossResult MicroBatch(long step, int replica, int microBatch, ref int nonFinite)
    {
        if (_stages is not null)
        {
            LossResult result = _stages.MicroBatch(
                step, replica, microBatch, _parameters.Weights, _parameters.Gradients[replica], RowWeight(_plan, step, replica), ref nonFinite);
            ClearUnlessUpdated(_parameters.Gradients[replica]);
            return result;
        }

        (int first, int rows) = _plan.RowsOf(step, replica, microBatch);
        ReadOnlySpan<int> indices = _order.RowsOf(step - 1, first, rows);
        TensorView<T> input = Rows(_input, rows), output = Rows(_output, rows), target = Rows(_target, rows), signal = Rows(_signal, rows);
        CopyInputs(DataSplit.Train, indices, input);
        _rows.Train.CopyTargets(indices, target.Span);
        PassContext context = new(_plan.Settings.Seed, step - 1, first, Training: true);
        StagePass<T> pass = new(_parameters.Weights, input, output, _stash.View, context, _scratch);
        int layer = _program.Forward(pass);
        nonFinite = nonFinite >= 0 ? nonFinite : layer;
        LossResult loss = _program.Loss(output, _stash.View, target, signal, RowWeight(_plan, step, replica), _scratch);
        _program.Backward(pass, new StageSignals<T>(signal, default, _parameters.Gradients[replica], accumulate: microBatch > 0));
        return loss;
    }

    /// <summary>1 / the rows that a row's gradient is averaged over.</summary>
    internal static double RowWeight(RunPlan plan, long step, int replica) => 1.0 / (plan.Settings.ParameterServer.Aggregate == Aggregate.Mean
        ? plan.RowsInStep(step)
        : Numerics.EvenSplit.Part(plan.RowsInStep(step), plan.Settings.Replicas, replica).Count);

    /// <summary>What a step does not update has no part in the gradient's norm.</summary>
    private void ClearUnlessUpdated(TensorView<T>[] gradients)
    {
        for (int i = 0; i < gradients.Length; i++)
        {
            if (_isUpdated?.Invoke(i) == false)
            {
                gradients[i].Span.Clear();
            }
        }
    }

    private bool EndsAfterEpoch(long step)
    {
        int epoch = _plan.EpochOf(step);
        bool last = step == _plan.TotalSteps;
        LossResult? test = null;
        if (_rows.Test is not null && (epoch % _plan.Settings.Training.EvaluateEvery == 0 || last))
        {
            test = Evaluate(DataSplit.Test);
            _recorder.On(new EvaluationCompleted(
                step, DataSplit.Test, test.Value.LossSum / test.Value.Rows, (double)test.Value.Correct / test.Value.Rows));
        }

        _progress = _progress with { Step = step, EpochLossSum = _epochLossSum, EpochCorrect = _epochCorrect, EpochRows = _epochRows };
        (_epochLossSum, _epochCorrect, _epochRows) = (0, 0, 0);
        double trainLoss = _progress.EpochLossSum / _progress.EpochRows;
        double? testLoss = test?.LossSum / test?.Rows;
        _recorder.On(new EpochCompleted(
            epoch, step, trainLoss, (double)_progress.EpochCorrect / _progress.EpochRows, testLoss, (double?)test?.Correct / test?.Rows));
        bool isWatched = _rows.Test is null || testLoss is not null;
        _progress = isWatched ? _progress.AfterEpoch(testLoss ?? trainLoss, _plan.Settings.Optimizer) : _progress.AfterEpochUnwatched();
        return last || _progress.IsOutOfPatience(_plan.Settings.Training);
    }

    private LossResult Evaluate(DataSplit split)
    {
        DataSet<T> data = split == DataSplit.Train ? _rows.Train : _rows.Test!;
        double lossSum = 0;
        int correct = 0;
        for (int first = 0; first < data.Rows; first += Limits.EvaluationRowsMax)
        {
            int rows = Math.Min(Limits.EvaluationRowsMax, data.Rows - first);
            TensorView<T> input = Rows(_input, rows), output = Rows(_output, rows), target = Rows(_target, rows);
            CopyInputs(split, _inOrder.AsSpan(first, rows), input);
            data.CopyTargets(_inOrder.AsSpan(first, rows), target.Span);
            PassContext context = new(_plan.Settings.Seed, 0, first, Training: false);
            _program.Forward(new StagePass<T>(NetworkWeights(), input, output, _stash.View, context, _scratch));
            LossResult loss = _program.Loss(output, _stash.View, target, default, 0, _scratch);
            lossSum += loss.LossSum;
            correct += loss.Correct;
        }

        return new LossResult(lossSum, correct, data.Rows);
    }

    /// <summary>The network's own tensors, without what stages learn besides.</summary>
    private TensorView<T>[] NetworkWeights() =>
        _parameters.Specs.Count == _program.Parameters.Count
            ? _parameters.Weights
            : [.. _parameters.Weights.Where((_, i) => !LocalRules.IsAuxiliary(_parameters.Specs[i]))];

    private static TensorView<T> Rows(Tensor<T> tensor, int rows) => tensor.View.Slice(0, rows, tensor.Columns);
}
