using DistTrain.Numerics;
using DistTrain.Numerics.Learning;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Planning;

/// <summary>The jobs of a step, as actors ask for them, for whoever wants to know beforehand what they take.</summary>
internal static class StepJobs
{
    /// <summary>The jobs of a micro-batch's way through one replica.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="rows">Rows of the micro-batch.</param>
    /// <param name="accumulates">Whether an earlier micro-batch of the step left gradients to add to.</param>
    public static IEnumerable<Job> OfPass(RunPlan plan, int rows, bool accumulates)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach (StagePlan stage in plan.Stages.Where(stage => plan.Front is null || plan.IsLastStage(stage.Index)))
        {
            foreach (StageJob job in OfStage(plan, stage, accumulates))
            {
                (job.Rows, job.Training, job.Step) = (rows, true, 1);
                yield return job;
            }
        }
    }

    /// <summary>What is multiplied out behind a replica's micro-batch.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="rows">Rows of the replica's step.</param>
    /// <param name="microBatch">Which, from 0.</param>
    public static IEnumerable<Job> Gradients(RunPlan plan, int rows, int microBatch)
    {
        ArgumentNullException.ThrowIfNull(plan);
        int microBatches = plan.MultipliedOutAfter(microBatch);
        int all = Enumerable.Range(microBatch + 1 - microBatches, microBatches).Sum(one => EvenSplit.Part(rows, plan.Settings.Training.MicroBatches, one).Count);
        return plan.Stages.Where(stage => microBatches > 0 && stage.Parameters.Any(plan.IsCollected))
            .Select(stage => new GradientJob(stage.Index, 0, stage.Slices.Count) { Rows = all, MicroBatch = microBatch, MicroBatches = microBatches, Training = true, Step = 1 });
    }

    /// <summary>The updates of a step.</summary>
    public static IEnumerable<Job> Updates(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Slices.Where(slice => !slice.Frozen && slice.Index < plan.TrainedSlices)
            .Select(slice => new ApplyJob(slice.Index, plan.Settings.Replicas));
    }

    private static IEnumerable<StageJob> OfStage(RunPlan plan, StagePlan stage, bool accumulates)
    {
        Method method = plan.Method;
        bool isLast = plan.IsLastStage(stage.Index), isFirst = plan.IsFirstStage(stage.Index);
        int index = stage.Index, slices = stage.Slices.Count;
        if (isFirst)
        {
            yield return new LoadBatchJob(index, 0);
        }

        yield return new ForwardJob(index, 0, slices);
        if (isLast || stage.Rule is not null)
        {
            yield return new LoadBatchJob(isLast ? index : plan.Stages.Count - 1, 0) { Targets = true };
        }

        if (isLast)
        {
            yield return new LossJob(index, 0);
        }
        else if (stage.Rule is LocalRuleSpec rule)
        {
            yield return rule.Kind switch
            {
                LocalRuleKind.GradientPredictor => new PredictJob(index, 0, slices),
                LocalRuleKind.DifferenceTarget => new TargetJob(index, 0, slices) { Accumulate = accumulates },
                _ => new LocalLossJob(index, 0, slices) { Accumulate = accumulates },
            };
            if (rule.Kind == LocalRuleKind.GradientPredictor)
            {
                yield return new FitJob(index, 0, slices) { Accumulate = accumulates };
            }
        }

        if (!stage.Slices.All(slice => plan.Slices[slice].Frozen))
        {
            yield return new BackwardJob(index, 0, slices)
            {
                Path = method.Path(plan.Settings), PassesSignal = !isFirst && method.PassesSignal(index, plan.Stages.Count), Accumulate = accumulates,
            };
        }
    }
}
