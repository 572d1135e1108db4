using System.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared.Learning;

/// <summary>The jobs of stages that make their own signals.</summary>
internal sealed class LearningJobRunner<T>(
    RunPlan plan, StageRules<T> rules, StageProgram<T>[] programs, SliceLayout[] layouts, int inputs, int targets, BufferPool pool)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static unsafe int ValueBytes => sizeof(T);

    public void Run(LearningJob job, ComputeScratch scratch, IForkJoin fork)
    {
        StageProgram<T> program = programs[job.Stage];
        SliceLayout layout = layouts[job.Stage];
        int own = program.Parameters.Count, slices = layout.Lengths.Count;
        Span<TensorView<T>> weights = stackalloc TensorView<T>[plan.Stages[job.Stage].Parameters.Count];
        layout.Views(pool, job.Inputs.AsSpan(job.Inputs.Length - slices), weights);
        switch (job)
        {
            case LocalLossJob local:
                LocalLoss(local, program, weights[own..], Gradients(job, layout, stackalloc TensorView<T>[weights.Length])[own..], scratch, fork);
                break;
            case PredictJob:
                TensorView<T> signal = Rent(job, 0, program.OutputWidth);
                rules.PredictorOf(job.Stage).Predict(
                    weights[own..], View(job, 0, program.OutputWidth), View(job, 1, targets), signal, job.RowWeight, scratch, fork);
                break;
            case FitJob:
                Fit(job, program, weights[own..], Gradients(job, layout, stackalloc TensorView<T>[weights.Length])[own..], scratch, fork);
                break;
            case TargetJob target:
                Target(target, program, layout, weights, scratch, fork);
                break;
            default:
                throw new InvariantException($"No host runs a {job.GetType().Name}.");
        }
    }

    private void LocalLoss(
        LocalLossJob job,
        StageProgram<T> program,
        ReadOnlySpan<TensorView<T>> weights,
        ReadOnlySpan<TensorView<T>> gradients,
        ComputeScratch scratch,
        IForkJoin fork)
    {
        LocalLoss<T> loss = rules.LossOf(job.Stage);
        TensorView<T> signal = Rent(job, 0, program.OutputWidth);
        job.Result = loss.Signal(
            weights,
            loss.NeedsNetworkInput ? View(job, 2, inputs) : default,
            View(job, 0, program.OutputWidth),
            View(job, 1, targets),
            signal,
            gradients,
            job.Accumulate,
            job.RowWeight,
            scratch,
            fork);
    }

    private void Fit(
        LearningJob job,
        StageProgram<T> program,
        ReadOnlySpan<TensorView<T>> weights,
        ReadOnlySpan<TensorView<T>> gradients,
        ComputeScratch scratch,
        IForkJoin fork)
    {
        if (job.Inputs[2].IsNone)
        {
            foreach (TensorView<T> gradient in gradients)
            {
                gradient.Span.Clear();
            }

            return;
        }

        rules.PredictorOf(job.Stage).Fit(
            weights,
            View(job, 0, program.OutputWidth),
            View(job, 1, targets),
            View(job, 2, program.OutputWidth),
            gradients,
            job.Accumulate,
            job.RowWeight,
            scratch,
            fork);
    }

    private void Target(
        TargetJob job, StageProgram<T> program, SliceLayout layout, ReadOnlySpan<TensorView<T>> weights, ComputeScratch scratch, IForkJoin fork)
    {
        DifferenceTarget<T> rule = rules.TargetOf(job.Stage);
        TensorView<T> input = View(job, 0, program.InputWidth), output = View(job, 1, program.OutputWidth);
        if (plan.IsLastStage(job.Stage))
        {
            rule.TargetFromSignal(input, View(job, 2, program.InputWidth), Rent(job, 1, program.InputWidth), job.RowWeight);
            return;
        }

        TensorView<T> target = View(job, 2, program.OutputWidth);
        rule.Signal(output, target, Rent(job, 0, program.OutputWidth), job.RowWeight);
        int own = program.Parameters.Count;
        Span<TensorView<T>> gradients = Gradients(job, layout, stackalloc TensorView<T>[weights.Length]);
        if (rule.HasInverse)
        {
            rule.Target(weights[own..], input, output, target, Rent(job, 1, program.InputWidth), scratch, fork);
            PassContext context = new(plan.Settings.Seed, job.Step - 1, job.FirstRow, Training: true);
            rule.FitInverse(
                weights[own..], program, weights[..own], input, gradients[own..], job.Accumulate, job.RowWeight, context, scratch, fork);
        }
    }

    /// <summary>The stage's gradients; those of its layers are left as they are.</summary>
    private Span<TensorView<T>> Gradients(LearningJob job, SliceLayout layout, Span<TensorView<T>> views)
    {
        Span<BufferHandle> slices = job.Outputs.AsSpan(job.Outputs.Length - layout.Lengths.Count);
        layout.RentMissing<T>(pool, slices);
        layout.Views(pool, slices, views);
        return views;
    }

    private TensorView<T> View(LearningJob job, int input, int columns) =>
        job.Inputs[input].IsNone ? default : pool.View<T>(job.Inputs[input], job.Rows, columns);

    private TensorView<T> Rent(LearningJob job, int output, int columns)
    {
        InvariantException.Require(job.Outputs[output].IsNone, "This output is always a fresh buffer.");
        job.Outputs[output] = pool.Rent((long)job.Rows * columns * ValueBytes);
        return pool.View<T>(job.Outputs[output], job.Rows, columns);
    }
}
