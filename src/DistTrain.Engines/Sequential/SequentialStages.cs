using System.Numerics;
using DistTrain.Data;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Shared.Learning;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Sequential;

/// <summary>
/// One micro-batch of a method that gives each stage a signal of its own: the textbook form, stage after stage in one loop, with
/// copies of whatever a later step needs.
/// </summary>
internal sealed class SequentialStages<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RunPlan _plan;
    private readonly DataSet<T> _rows;
    private readonly BatchOrder _order;
    private readonly StageRules<T> _rules;
    private readonly StageProgram<T>[] _programs;
    private readonly int[] _offsets;
    private readonly ComputeScratch _scratch;
    private readonly SequentialHistory<T>[][] _histories;
    private readonly SequentialMemory<T> _memory;

    public SequentialStages(RunPlan plan, DataSet<T> rows, BatchOrder order, ComputeScratch scratch)
    {
        (_plan, _rows, _order, _scratch) = (plan, rows, order, scratch);
        _rules = new StageRules<T>(plan);
        _programs = [.. plan.Stages.Select(stage => new StageProgram<T>(
            plan.Network, stage.FirstLayer, stage.LayerCount, plan.IsLastStage(stage.Index) ? plan.Settings.Loss : null))];
        _offsets = new int[_programs.Length + 1];
        for (int stage = 0; stage < _programs.Length; stage++)
        {
            _offsets[stage + 1] = _offsets[stage] + plan.Stages[stage].Parameters.Count;
        }

        Updates = new bool[_programs.Length];
        _memory = new SequentialMemory<T>(stepsKept: _programs.Length + (plan.Settings.Method.DelaySteps ?? 1));
        _histories = [.. Enumerable.Range(0, plan.Settings.Replicas).Select(_ =>
            plan.Stages.Select(stage => new SequentialHistory<T>()).ToArray())];
    }

    /// <summary>Whether a method needs this form; the others run the network as one program.</summary>
    public static bool Serves(Method method) => method is not (Backprop or FrontContribution);

    /// <summary>Which stages the step at hand updates.</summary>
    public bool[] Updates { get; }

    /// <summary>The stage of each tensor in layer order.</summary>
    public int StageOf(int parameter)
    {
        int stage = 0;
        while (_offsets[stage + 1] <= parameter)
        {
            stage++;
        }

        return stage;
    }

    /// <summary>Forward, signals, gradients. Stages that do not update are left out of <see cref="Updates"/>.</summary>
    public LossResult MicroBatch(
        long step, int replica, int microBatch, TensorView<T>[] weights, TensorView<T>[] gradients, double rowWeight, ref int nonFinite)
    {
        _memory.Begin(step);
        (int first, int rows) = _plan.RowsOf(step, replica, microBatch);
        SequentialBatch<T>[] batches = [.. _programs.Select(program => new SequentialBatch<T>(_memory, program, rows, step, first))];
        ReadOnlySpan<int> indices = _order.RowsOf(step - 1, first, rows);
        Tensor<T> input = _memory.Take(rows, _rows.Inputs), target = _memory.Take(rows, _rows.Targets);
        _rows.CopyInputs(indices, input.View.Span);
        _rows.CopyTargets(indices, target.View.Span);
        int last = LastForward(step);
        for (int stage = 0; stage <= last; stage++)
        {
            batches[stage].Input = stage == 0 ? input : batches[stage - 1].Output;
            int layer = Forward(stage, batches[stage], Own(stage, weights));
            nonFinite = nonFinite >= 0 ? nonFinite : layer;
        }

        Array.Clear(Updates);
        Pass pass = new(step, replica, microBatch > 0, weights, gradients, rowWeight, input, target);
        return _plan.Method switch
        {
            FeedbackAlignment => Chain(pass, batches),
            DirectFeedbackAlignment => Direct(pass, batches),
            TargetPropagation => Targets(pass, batches),
            SyntheticGradient => Synthetic(pass, batches),
            DelayedGradient => Delayed(pass, batches),
            _ => Local(pass, batches),
        };
    }

    public void Dispose() => _memory.Dispose();

    private int LastForward(long step) => _plan.Method is Greedy ? Greedy.TrainedStage(_plan, step) : _programs.Length - 1;

    private LossResult Chain(in Pass pass, SequentialBatch<T>[] batches)
    {
        LossResult loss = Loss(pass, batches[^1]);
        for (int stage = _programs.Length - 1; stage >= 0; stage--)
        {
            Tensor<T>? below = Backward(pass, stage, batches[stage], passesSignal: stage > 0);
            if (stage > 0)
            {
                batches[stage - 1].Signal = below;
            }
        }

        return loss;
    }

    private LossResult Direct(in Pass pass, SequentialBatch<T>[] batches)
    {
        LossResult loss = Loss(pass, batches[^1]);
        for (int stage = 0; stage < _programs.Length; stage++)
        {
            batches[stage].Signal = batches[^1].Signal;
            Backward(pass, stage, batches[stage], passesSignal: false);
        }

        return loss;
    }

    private LossResult Targets(in Pass pass, SequentialBatch<T>[] batches)
    {
        LossResult loss = Loss(pass, batches[^1]);
        int last = _programs.Length - 1;
        Tensor<T>? target = Backward(pass, last, batches[last], passesSignal: last > 0);
        if (target is not null)
        {
            _rules.TargetOf(last).TargetFromSignal(batches[last].Input!.View, target.View, target.View, pass.RowWeight);
        }

        for (int stage = last - 1; stage >= 0; stage--)
        {
            SequentialBatch<T> batch = batches[stage];
            DifferenceTarget<T> rule = _rules.TargetOf(stage);
            batch.Signal = _memory.Take(batch.Rows, _programs[stage].OutputWidth);
            rule.Signal(batch.Output.View, target!.View, batch.Signal.View, pass.RowWeight);
            if (rule.HasInverse)
            {
                Tensor<T> below = _memory.Take(batch.Rows, _programs[stage].InputWidth);
                TensorView<T>[] inverse = Auxiliary(stage, pass.Weights);
                rule.Target(inverse, batch.Input!.View, batch.Output.View, target.View, below.View, _scratch);
                rule.FitInverse(
                    inverse, _programs[stage], Own(stage, pass.Weights), batch.Input.View, Auxiliary(stage, pass.Gradients),
                    pass.Accumulate, pass.RowWeight, batch.Context(_plan), _scratch);
                target = below;
            }

            Backward(pass, stage, batch, passesSignal: false);
        }

        return loss;
    }

    private LossResult Local(in Pass pass, SequentialBatch<T>[] batches)
    {
        int last = LastForward(pass.Step);
        LossResult result = default;
        for (int stage = 0; stage <= last; stage++)
        {
            bool trains = stage == last || _plan.Method is not (Greedy or FinalLayerOnly);
            if (!trains)
            {
                continue;
            }

            SequentialBatch<T> batch = batches[stage];
            if (stage == _programs.Length - 1)
            {
                result = Loss(pass, batch);
            }
            else
            {
                batch.Signal = _memory.Take(batch.Rows, _programs[stage].OutputWidth);
                LossResult own = _rules.LossOf(stage).Signal(
                    Auxiliary(stage, pass.Weights), pass.Input.View, batch.Output.View, pass.Target.View, batch.Signal.View,
                    Auxiliary(stage, pass.Gradients), pass.Accumulate, pass.RowWeight, _scratch);
                result = stage == last ? own : result;
            }

            Backward(pass, stage, batch, passesSignal: false);
        }

        return result;
    }

    private LossResult Synthetic(in Pass pass, SequentialBatch<T>[] batches)
    {
        LossResult loss = Loss(pass, batches[^1]);
        int last = _programs.Length - 1, delay = _plan.Settings.Method.DelaySteps ?? 1;
        TensorView<T> Conditioned(Tensor<T> target) => _plan.Settings.Method.Conditioned ? target.View : default;
        for (int stage = 0; stage <= last; stage++)
        {
            SequentialBatch<T> batch = batches[stage];
            batch.Target = pass.Target;
            if (stage < last)
            {
                batch.Signal = _memory.Take(batch.Rows, _programs[stage].OutputWidth);
                _rules.PredictorOf(stage).Predict(
                    Auxiliary(stage, pass.Weights), batch.Output.View, Conditioned(pass.Target), batch.Signal.View, pass.RowWeight, _scratch);
                _histories[pass.Replica][stage].Add(batch);
            }

            Tensor<T>? below = Backward(pass, stage, batch, passesSignal: stage > 0);
            if (stage > 0)
            {
                batches[stage - 1].TrueSignal = below;
            }
        }

        for (int stage = 0; stage < last; stage++)
        {
            TensorView<T>[] gradients = Auxiliary(stage, pass.Gradients);
            if (_histories[pass.Replica][stage].Take(pass.Step - delay) is SequentialBatch<T> old)
            {
                double rowWeight = SequentialRun<T>.RowWeight(_plan, old.Step, pass.Replica);
                _rules.PredictorOf(stage).Fit(
                    Auxiliary(stage, pass.Weights), old.Output.View, Conditioned(old.Target!), old.TrueSignal!.View, gradients,
                    pass.Accumulate, rowWeight, _scratch);
            }
            else
            {
                Array.ForEach(gradients, gradient => gradient.Span.Clear());
            }
        }

        return loss;
    }

    private LossResult Delayed(in Pass pass, SequentialBatch<T>[] batches)
    {
        LossResult loss = Loss(pass, batches[^1]);
        bool replays = _plan.Method.Name == "features-replay";
        int last = _programs.Length - 1;

        for (int stage = 0; stage <= last; stage++)
        {
            batches[stage].KeepWeights(Own(stage, pass.Weights));
            _histories[pass.Replica][stage].Add(batches[stage]);
        }

        // Signals of this step are for the next one, unless there is no delay: then stages come in the order of backpropagation.
        bool delayed = _plan.Settings.Method.DelaySteps is null;
        for (int i = 0; i <= last; i++)
        {
            int stage = delayed ? i : last - i;
            int delay = delayed ? last - stage : 0;
            if (_histories[pass.Replica][stage].Take(pass.Step - delay) is not SequentialBatch<T> old)
            {
                continue;
            }

            if (replays && stage < last)
            {
                Forward(stage, old, Own(stage, pass.Weights));
                old.KeepWeights(Own(stage, pass.Weights));
            }

            Tensor<T>? below = Backward(pass, stage, old, passesSignal: stage > 0, old.Weights);
            if (stage > 0)
            {
                _histories[pass.Replica][stage - 1].At(old.Step)!.Signal = below;
            }
        }

        return loss;
    }

    private LossResult Loss(in Pass pass, SequentialBatch<T> batch)
    {
        batch.Signal = _memory.Take(batch.Rows, _programs[^1].OutputWidth);
        return _programs[^1].Loss(batch.Output.View, batch.Stash.View, pass.Target.View, batch.Signal.View, pass.RowWeight, _scratch);
    }

    private int Forward(int stage, SequentialBatch<T> batch, TensorView<T>[] own) =>
        _programs[stage].Forward(PassOf(batch, own));

    private StagePass<T> PassOf(SequentialBatch<T> batch, TensorView<T>[] own) =>
        new(own, batch.Input!.View, batch.Output.View, batch.Stash.View, batch.Context(_plan), _scratch);

    private Tensor<T>? Backward(in Pass pass, int stage, SequentialBatch<T> batch, bool passesSignal, TensorView<T>[]? weights = null)
    {
        Updates[stage] = true;
        Tensor<T>? below = passesSignal ? _memory.Take(batch.Rows, _programs[stage].InputWidth) : null;
        var feedback = new TensorView<T>[_rules.FeedbackCount(stage)];
        _rules.FeedbackOf(stage, feedback);
        StageBackward.Run(
            _programs[stage],
            _rules.Path,
            PassOf(batch, weights ?? Own(stage, pass.Weights)),
            feedback,
            new StageSignals<T>(batch.Signal!.View, below?.View ?? default, Own(stage, pass.Gradients), pass.Accumulate),
            isLast: stage == _programs.Length - 1);
        return below;
    }

    /// <summary>The tensors of a stage's layers.</summary>
    private TensorView<T>[] Own(int stage, TensorView<T>[] all) => all[_offsets[stage]..(_offsets[stage] + _programs[stage].Parameters.Count)];

    /// <summary>The tensors that a stage learns besides.</summary>
    private TensorView<T>[] Auxiliary(int stage, TensorView<T>[] all) => all[(_offsets[stage] + _programs[stage].Parameters.Count).._offsets[stage + 1]];

    private readonly record struct Pass(
        long Step,
        int Replica,
        bool Accumulate,
        TensorView<T>[] Weights,
        TensorView<T>[] Gradients,
        double RowWeight,
        Tensor<T> Input,
        Tensor<T> Target);
}
