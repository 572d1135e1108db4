using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Sequential;

/// <summary>
/// The plain trainer that everything is compared with: one thread, one loop, no actors, no messages. It adds in the same
/// order (sample, then micro-batch,
/// then replica), so a synchronous run on any engine gives its bits.
/// </summary>
public static class SequentialTrainer
{
    /// <summary>
    /// Trains to the end, or to the end of a step once <paramref name="stop"/> is cancelled. Stages and shards of the
    /// request are without effect.
    /// It updates weights in place, so after a divergence they are those of the step that diverged. Throws
    /// <see cref="InvalidInputException"/> for an asynchronous method or parameter server: those have no sequential meaning.
    /// </summary>
    public static RunOutcome Run(RunRequest request, IRunObserver observer, TimeProvider? time = null, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(observer);
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        if (Refusal(plan) is string refusal)
        {
            throw new InvalidInputException(refusal);
        }

        TimeProvider clock = time ?? TimeProvider.System;
        if (request.Settings.Precision == Precision.Float32)
        {
            using SequentialRun<float> run = new(request, plan, observer, clock);
            return run.ToEnd(stop);
        }
        else
        {
            using SequentialRun<double> run = new(request, plan, observer, clock);
            return run.ToEnd(stop);
        }
    }

    /// <summary>Why a run has no sequential meaning; null where it has one.</summary>
    public static string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Refusal(new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows));
    }

    private static string? Refusal(RunPlan plan) => plan.Method.Synchronous && plan.Settings.ParameterServer.Consistency == Consistency.Sync
        ? null
        : $"method.name: {plan.Method.Name} with consistency {plan.Settings.ParameterServer.Consistency} depends on what runs at once; expected a synchronous run";
}
