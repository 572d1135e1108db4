using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Actors;

/// <content>What the actor waits for and holds, for whoever measures it.</content>
public sealed partial class LayerActor
{
    /// <inheritdoc/>
    public override ActorWait Wait
    {
        get
        {
            (long step, int microBatch) = _hasCurrent ? (_current.Step, _current.MicroBatch) : (0, 0);
            return new ActorWait(KindOfWait(step), step, microBatch);
        }
    }

    /// <inheritdoc/>
    public override void CollectActivations(ICollection<BufferHandle> buffers)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        foreach (MicroBatchSlot slot in _slots)
        {
            buffers.Add(slot.Input);
            buffers.Add(slot.Output);
            buffers.Add(slot.Stash);
        }

        Contributions?.Collect(buffers);
    }

    private WaitKind KindOfWait(long step)
    {
        if (_jobRuns)
        {
            return WaitKind.Busy;
        }

        if (_hasCurrent)
        {
            return _current.Kind switch
            {
                InstructionKind.ReceiveActivation => WaitKind.Activation,
                InstructionKind.ReceiveSignal => WaitKind.Signal,
                _ => _instructions!.HasWorkIn(step) ? WaitKind.Parameters : WaitKind.Released,
            };
        }

        if (Contributions is { WaitsFor.Length: > 0 })
        {
            return WaitKind.Activation;
        }

        // Every instruction of the steps issued so far is done, so the one at hand is the next.
        long next = _contributed + 1;
        bool isOver = _evaluation.IsActive || next > Plan.TotalSteps;
        return !isOver && (_instructions is null || _instructions.HasWorkIn(next)) ? WaitKind.Parameters : WaitKind.Released;
    }
}
