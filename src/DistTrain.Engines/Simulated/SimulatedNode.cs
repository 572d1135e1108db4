using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Simulated;

/// <summary>A node's compute: so many jobs at once, the others wait in the order in which they came.</summary>
internal sealed class SimulatedNode(int slots)
{
    private readonly Queue<WaitingJob> _waiting = new();
    private int _free = slots;

    /// <summary>Takes a slot for a job; false, and the job waits, when there is none.</summary>
    public bool TryStart(in WaitingJob job)
    {
        if (_free > 0)
        {
            _free--;
            return true;
        }

        _waiting.Enqueue(job);
        return false;
    }

    /// <summary>Gives a slot back.</summary>
    public void Free() => _free++;

    /// <summary>The next job that a slot is free for, with the slot; false when there is none.</summary>
    public bool TryStartNext(out WaitingJob job)
    {
        if (_free > 0 && _waiting.TryDequeue(out job))
        {
            _free--;
            return true;
        }

        job = default;
        return false;
    }
}

/// <summary>A job that waits for a slot.</summary>
internal readonly record struct WaitingJob(int Actor, int Life, Job Job);
