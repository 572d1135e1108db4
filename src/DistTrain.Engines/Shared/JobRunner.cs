using System.Numerics;
using DistTrain.Data;
using DistTrain.Engines.Shared.Front;
using DistTrain.Engines.Shared.Learning;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>The jobs of layer actors; those of shards are in <see cref="ShardArithmetic{T}"/>.</summary>
internal sealed class JobRunner<T> : IJobRunner
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Smaller batches are in the other cores' caches before that matters.
    private const long StreamedBytesMin = 32 << 10;

    private readonly RunPlan _plan;
    private readonly BufferPool _pool;
    private readonly BatchOrder _order;
    private readonly RunData _data;
    private readonly StageProgram<T>[] _programs;
    private readonly SliceLayout[] _layouts;
    private readonly CollectedGradients<T>?[] _collected;
    private readonly ShardArithmetic<T> _shards;
    private readonly double[] _signalFactors;
    private readonly int[] _evaluationRows;
    private readonly FrontJobRunner<T>? _front;
    private readonly StageRules<T> _rules;
    private readonly LearningJobRunner<T> _learning;

    public JobRunner(RunRequest request, RunPlan plan, BufferPool pool, SnapshotStore snapshots)
    {
        _plan = plan;
        _pool = pool;
        _data = request.Data;
        _order = new BatchOrder(plan.Settings.Seed, plan.TrainRows, plan.Settings.Training.BatchSize, plan.Settings.Training.Shuffle);
        _programs = [.. plan.Stages.Select(stage => new StageProgram<T>(
            plan.Network,
            stage.FirstLayer,
            stage.LayerCount,
            plan.IsLastStage(stage.Index) ? plan.Settings.Loss : null,
            plan.FactoredRows,
            leavesInput: true))];
        _layouts = [.. plan.Stages.Select(stage => new SliceLayout(plan, stage))];
        _collected = [.. plan.Stages.Select((stage, index) => CollectedGradients<T>.Of(plan, stage, _layouts[index]))];
        _shards = new ShardArithmetic<T>(request, plan, pool, snapshots);
        _rules = new StageRules<T>(plan);
        _learning = new LearningJobRunner<T>(plan, _rules, _programs, _layouts, _data.Inputs, _data.Targets, pool);
        _front = plan.Front is null ? null : new FrontJobRunner<T>(plan, plan.Front, _data, pool, request.GoesOn);
        _evaluationRows = [.. Enumerable.Range(0, Math.Max(plan.TrainRows, plan.TestRows))];

        // A falsified contribution is a falsified signal at the loss: gradients are linear in it.
        _signalFactors = [.. Enumerable.Repeat(1.0, plan.Settings.Replicas)];
        foreach (ByzantineReplica byzantine in request.Byzantine)
        {
            _signalFactors[byzantine.Replica] = byzantine.Factor;
        }
    }

    public void Run(Job job, ComputeScratch scratch, IForkJoin fork)
    {
        switch (job)
        {
            case LoadBatchJob load:
                Load(load, fork);
                break;
            case ForwardJob forward:
                Forward(forward, scratch, fork);
                break;
            case LossJob loss:
                Loss(loss, scratch);
                break;
            case BackwardJob backward:
                Backward(backward, scratch, fork);
                break;
            case GradientJob gradient:
                MultiplyOut(gradient, fork);
                break;
            case LearningJob learning:
                _learning.Run(learning, scratch, fork);
                break;
            case FrontJob front:
                _front!.Run(front, scratch, fork);
                break;
            default:
                _shards.Run(job, scratch, fork);
                break;
        }
    }

    public KeptParameters ReadParameters(long step) => _shards.ReadParameters(step);

    private void Load(LoadBatchJob job, IForkJoin fork)
    {
        ReadOnlySpan<int> rows = job.Training
            ? _order.RowsOf(job.Step - 1, job.FirstRow, job.Rows)
            : _evaluationRows.AsSpan(job.FirstRow, job.Rows);
        if (_front is not null && !job.Targets)
        {
            _front.Load(job, rows);
            return;
        }

        TrainTest<T> data = _data.As<T>();
        DataSet<T> source = job.Split == DataSplit.Train ? data.Train : data.Test!;
        TensorView<T> destination = Rent(job, 0, job.Rows, job.Targets ? source.Targets : source.Inputs);
        if (job.Targets)
        {
            source.CopyTargets(rows, destination.Span);
        }
        else
        {
            source.CopyInputs(rows, destination.Span, fork.Width > 1 && (long)destination.Length * ValueBytes >= StreamedBytesMin);
        }
    }

    private void Forward(ForwardJob job, ComputeScratch scratch, IForkJoin fork)
    {
        StageProgram<T> program = _programs[job.Stage];
        Span<TensorView<T>> weights = stackalloc TensorView<T>[_plan.Stages[job.Stage].Parameters.Count];
        _layouts[job.Stage].Views(_pool, job.Inputs.AsSpan(1), weights);
        TensorView<T> input = _pool.View<T>(job.Inputs[0], job.Rows, program.InputWidth);
        TensorView<T> output = Rent(job, 0, job.Rows, program.OutputWidth);
        TensorView<T> stash = Rent(job, 1, 1, program.StashLength(job.Rows));
        job.NonFiniteLayer = program.Forward(new StagePass<T>(weights[..program.Parameters.Count], input, output, stash, ContextOf(job), scratch, fork));
    }

    private void Loss(LossJob job, ComputeScratch scratch)
    {
        StageProgram<T> program = _programs[job.Stage];
        TensorView<T> output = _pool.View<T>(job.Inputs[0], job.Rows, program.OutputWidth);
        TensorView<T> target = _pool.View<T>(job.Inputs[2], job.Rows, program.OutputWidth);
        TensorView<T> signal = job.Training ? Rent(job, 0, job.Rows, program.OutputWidth) : default;
        double weight = job.RowWeight * _signalFactors[job.Replica];
        job.Result = program.Loss(output, _pool.View<T>(job.Inputs[1]), target, signal, weight, scratch);
    }

    private void Backward(BackwardJob job, ComputeScratch scratch, IForkJoin fork)
    {
        CollectedGradients<T>? collected = _collected[job.Stage];
        StageProgram<T> program = collected?.Program ?? _programs[job.Stage];
        SliceLayout layout = _layouts[job.Stage];
        ReadOnlySpan<BufferHandle> slices = job.Outputs.AsSpan(1);
        layout.RentMissing<T>(_pool, job.Outputs.AsSpan(1), collected is null ? default : collected.Room);
        Span<TensorView<T>> weights = stackalloc TensorView<T>[_plan.Stages[job.Stage].Parameters.Count];
        Span<TensorView<T>> gradients = stackalloc TensorView<T>[weights.Length];
        layout.Views(_pool, job.Inputs.AsSpan(4), weights);
        layout.GradientViews(_pool, slices, gradients);
        collected?.Replace(_pool, slices, gradients);
        TensorView<T> below = job.PassesSignal ? Rent(job, 0, job.Rows, program.InputWidth) : default;

        // What the stage learns besides its layers comes after them, and other jobs write it.
        int own = program.Parameters.Count;
        Span<TensorView<T>> feedback = stackalloc TensorView<T>[_rules.FeedbackCount(job.Stage)];
        _rules.FeedbackOf(job.Stage, feedback);
        StagePass<T> pass = new(
            weights[..own],
            _pool.View<T>(job.Inputs[0], job.Rows, program.InputWidth),
            _pool.View<T>(job.Inputs[1], job.Rows, program.OutputWidth),
            _pool.View<T>(job.Inputs[2]),
            ContextOf(job),
            scratch,
            fork);
        StageSignals<T> signals = new(_pool.View<T>(job.Inputs[3], job.Rows, SignalWidth(job, program)), below, gradients[..own], job.Accumulate);
        StageBackward.Run(program, job.Path, pass, feedback, signals, _plan.IsLastStage(job.Stage));
        if (program.InputFactor >= 0)
        {
            // The stage's input is nobody's to write any more; its copy in the gradient is made where that has to travel.
            _pool.BeginWith(job.Outputs[1 + layout.SliceBeginningWith(program.InputFactor)], job.Inputs[0]);
        }
    }

    private void MultiplyOut(GradientJob job, IForkJoin fork)
    {
        CollectedGradients<T> collected = _collected[job.Stage]!;
        Span<TensorView<T>> gradients = stackalloc TensorView<T>[collected.Program.Parameters.Count], factors = stackalloc TensorView<T>[gradients.Length];
        _layouts[job.Stage].GradientViews(_pool, job.Outputs, gradients);
        gradients.CopyTo(factors);
        collected.Replace(_pool, job.Outputs, factors);
        collected.MultiplyOut(job, factors, gradients, fork);
    }

    private int SignalWidth(BackwardJob job, StageProgram<T> program) =>
        job.Path == BackwardPath.Direct ? _programs[^1].OutputWidth : program.OutputWidth;

    private static unsafe int ValueBytes => sizeof(T);

    private PassContext ContextOf(StageJob job) => new(_plan.Settings.Seed, Math.Max(0, job.Step - 1), job.FirstRow, job.Training);

    private TensorView<T> Rent(Job job, int output, int rows, int columns)
    {
        InvariantException.Require(job.Outputs[output].IsNone, "This output is always a fresh buffer.");
        job.Outputs[output] = _pool.Rent((long)rows * columns * ValueBytes);
        return _pool.View<T>(job.Outputs[output], rows, columns);
    }
}
