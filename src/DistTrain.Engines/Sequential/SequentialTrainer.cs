using DistTrain.Numerics;
using DistTrain.Protocol.Methods;
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
        Method method = plan.Method;
        if (!method.Synchronous || plan.Settings.ParameterServer.Consistency != Consistency.Sync)
        {
            throw new InvalidInputException(
                $"method.name: {method.Name} with consistency {plan.Settings.ParameterServer.Consistency} depends on what runs at once; expected a synchronous run");
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
}
