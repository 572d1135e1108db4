using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Tracing;

/// <summary>When the last stage computed a micro-batch's loss, for the steps that anybody may still wait for.</summary>
internal sealed class LossTimes
{
    // Beside steps under way some methods wait for signals of earlier steps, at most one for each stage.
    private readonly int _steps, _microBatches;
    private readonly (long Step, long At)[] _times;

    public LossTimes(RunPlan plan)
    {
        _steps = plan.StepsUncommittedMax + plan.Stages.Count + 2;
        _microBatches = plan.Settings.Training.MicroBatches;
        _times = new (long, long)[plan.Settings.Replicas * _steps * _microBatches];
    }

    /// <summary>A loss was computed.</summary>
    public void Set(int replica, long step, int microBatch, long at) => _times[Index(replica, step, microBatch)] = (step, at);

    /// <summary>The micro-batch starts (again), so an earlier loss of it no longer counts.</summary>
    public void Clear(int replica, long step, int microBatch) => _times[Index(replica, step, microBatch)] = default;

    /// <summary>When; null as long as it was not.</summary>
    public long? Find(int replica, long step, int microBatch) =>
        _times[Index(replica, step, microBatch)] is (long known, long at) && known == step ? at : null;

    private int Index(int replica, long step, int microBatch) => (((replica * _steps) + (int)(step % _steps)) * _microBatches) + microBatch;
}
