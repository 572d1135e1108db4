namespace DistTrain.Protocol.Schedules;

/// <summary>
/// In which order a stage runs its passes: a pure function of (stages, micro-batches, stage index). Backward passes come in
/// index order in
/// every schedule, so that a stage adds its micro-batches' gradients in the same order and every schedule gives the same bits.
/// </summary>
public abstract class Schedule
{
    private protected Schedule()
    {
    }

    /// <summary>The name in experiment files.</summary>
    public abstract string Name { get; }

    /// <summary>The passes of one step at one stage. Each micro-batch has exactly one forward and, later, one backward
    /// pass.</summary>
    /// <param name="stages">Stages of the pipeline, at least 1.</param>
    /// <param name="microBatches">Micro-batches of a step, at least 1.</param>
    /// <param name="stage">From 0.</param>
    public abstract IReadOnlyList<Pass> Passes(int stages, int microBatches, int stage);

    /// <summary>Most activations that the stage stores at once.</summary>
    public int StoredActivationsMax(int stages, int microBatches, int stage)
    {
        int stored = 0, most = 0;
        foreach (Pass pass in Passes(stages, microBatches, stage))
        {
            stored += pass.Kind == PassKind.Forward ? 1 : -1;
            most = Math.Max(most, stored);
        }

        return most;
    }

    /// <summary>Forward passes first, up to <paramref name="depth"/> ahead of the backward ones.</summary>
    private protected static IReadOnlyList<Pass> Alternate(int microBatches, int depth)
    {
        List<Pass> passes = new(2 * microBatches);
        int forward = 0;
        for (int backward = 0; backward < microBatches; backward++)
        {
            while (forward < microBatches && forward - backward < depth)
            {
                passes.Add(new Pass(PassKind.Forward, forward++));
            }

            passes.Add(new Pass(PassKind.Backward, backward));
        }

        return passes;
    }
}

/// <summary>One micro-batch through the whole pipeline before the next: no two stages work at once.</summary>
public sealed class SequentialSchedule : Schedule
{
    /// <inheritdoc/>
    public override string Name => "sequential";

    /// <inheritdoc/>
    public override IReadOnlyList<Pass> Passes(int stages, int microBatches, int stage) => Alternate(microBatches, 1);
}

/// <summary>All forward passes, then all backward passes (GPipe: Huang et al. 2019). A stage stores every micro-batch.</summary>
public sealed class FillDrainSchedule : Schedule
{
    /// <inheritdoc/>
    public override string Name => "fill-drain";

    /// <inheritdoc/>
    public override IReadOnlyList<Pass> Passes(int stages, int microBatches, int stage) => Alternate(microBatches, microBatches);
}

/// <summary>
/// One forward, one backward (PipeDream-flush: Narayanan et al. 2021): stage i of p runs p − i forward passes ahead, so it stores
/// min(p − i, m) activations where fill-drain stores m; the bubble is the same.
/// </summary>
public sealed class OneForwardOneBackwardSchedule : Schedule
{
    /// <inheritdoc/>
    public override string Name => "1f1b";

    /// <inheritdoc/>
    public override IReadOnlyList<Pass> Passes(int stages, int microBatches, int stage) => Alternate(microBatches, stages - stage);
}
