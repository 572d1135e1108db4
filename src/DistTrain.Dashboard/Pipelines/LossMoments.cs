using DistTrain.Protocol.Actors;

namespace DistTrain.Dashboard.Pipelines;

/// <summary>When micro-batches' losses were computed, which divides waits for a signal into update lock before and backward lock after it.</summary>
internal sealed class LossMoments
{
    private readonly SortedDictionary<(int Replica, long Step, int MicroBatch), double> _moments = [];

    /// <summary>A loss was computed.</summary>
    /// <param name="replica">Replica of the model.</param>
    /// <param name="step">Training step.</param>
    /// <param name="microBatch">From 0.</param>
    /// <param name="at">Microseconds since the run's start.</param>
    public void Set(int replica, long step, int microBatch, double at) => _moments[(replica, step, microBatch)] = at;

    /// <summary>A stretch of waiting by lock; nothing where the actor did not wait.</summary>
    public IEnumerable<PipelineWait> Divide(int actor, int replica, double start, double end, ActorWait wait)
    {
        switch (wait.Kind)
        {
            case WaitKind.Activation:
                return [new PipelineWait(actor, start, end, "forward lock", wait.Step)];
            case WaitKind.Parameters:
                return [new PipelineWait(actor, start, end, "parameters", wait.Step)];
            case WaitKind.Signal:
                double loss = Math.Clamp(_moments.GetValueOrDefault((replica, wait.Step, wait.MicroBatch), end), start, end);
                PipelineWait[] parts = [new(actor, start, loss, "update lock", wait.Step), new(actor, loss, end, "backward lock", wait.Step)];
                return parts.Where(part => part.End > part.Start);
            default:
                return [];
        }
    }
}
