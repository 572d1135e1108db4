namespace DistTrain.Protocol.Methods;

/// <summary>
/// The instructions of one stage, one after the other, over all steps of an epoch of the protocol. Which steps may start is
/// the coordinator's word; in which order their passes come is the method's.
/// </summary>
public abstract class InstructionSource
{
    // Of the pass under way, those before the next one are done.
    private Instruction[] _pass = new Instruction[8];
    private int _next, _count;

    private protected InstructionSource(int stage, int stages)
    {
        IsFirst = stage == 0;
        IsLast = stage == stages - 1;
    }

    /// <summary>The last step that may start.</summary>
    protected long IssuedThrough { get; private set; }

    /// <summary>No step after this one is coming for now; null when more are expected.</summary>
    protected long? DrainAfter { get; private set; }

    /// <summary>Whether the stage starts from the rows' inputs.</summary>
    protected bool IsFirst { get; }

    /// <summary>Whether the stage owns the loss.</summary>
    protected bool IsLast { get; }

    /// <summary>Lets a step start.</summary>
    public void Issue(long step, bool barrier)
    {
        IssuedThrough = Math.Max(IssuedThrough, step);
        DrainAfter = barrier ? step : null;
    }

    /// <summary>Tells that no step after <paramref name="lastStep"/> is coming for now.</summary>
    public void Drain(long lastStep) => DrainAfter = Math.Max(IssuedThrough, lastStep);

    /// <summary>The next instruction; false when nothing may start.</summary>
    public bool TryNext(out Instruction instruction)
    {
        while (_next == _count)
        {
            (_next, _count) = (0, 0);
            if (!EnqueuePass())
            {
                instruction = default;
                return false;
            }
        }

        // Field by field, as it was written: a read of the whole would have to wait until the parts are in the cache.
        ref readonly Instruction next = ref _pass[_next++];
        instruction = new Instruction(next.Kind, next.Step, next.MicroBatch);
        return true;
    }

    /// <summary>The weights that a forward pass or a replay must use: those after this step.</summary>
    public abstract long WeightsFor(in Instruction instruction);

    /// <summary>Whether the method gives the stage any work in a step.</summary>
    public virtual bool HasWorkIn(long step) => true;

    /// <summary>Whether the stage may load a step's inputs before their turn comes.</summary>
    public virtual bool MayLoadAhead(long step) => false;

    /// <summary>The step whose rows a signal that was sent in <paramref name="step"/> is about.</summary>
    public virtual long RowsOfSignal(long step) => step;

    /// <summary>Adds the next pass to the queue, if one may start.</summary>
    private protected abstract bool EnqueuePass();

    /// <summary>Forward pass, up to the loss or the next stage.</summary>
    private protected void EnqueueForward(long step, int microBatch)
    {
        if (IsLast)
        {
            // Before the activation comes there is time for it; later everybody would wait.
            Enqueue(InstructionKind.LoadTarget, step, microBatch);
        }

        EnqueueActivation(step, microBatch);
        Enqueue(IsLast ? InstructionKind.Loss : InstructionKind.SendActivation, step, microBatch);
    }

    /// <summary>The forward pass alone.</summary>
    private protected void EnqueueActivation(long step, int microBatch)
    {
        Enqueue(IsFirst ? InstructionKind.LoadInput : InstructionKind.ReceiveActivation, step, microBatch);
        Enqueue(InstructionKind.Forward, step, microBatch);
    }

    /// <summary>Backward pass on the signal of the next stage, handed on to the stage before.</summary>
    private protected void EnqueueBackward(long step, int microBatch)
    {
        if (!IsLast)
        {
            Enqueue(InstructionKind.ReceiveSignal, step, microBatch);
        }

        Enqueue(InstructionKind.Backward, step, microBatch);
        if (!IsFirst)
        {
            Enqueue(InstructionKind.SendSignal, step, microBatch);
        }

        Enqueue(InstructionKind.Free, step, microBatch);
    }

    /// <summary>The end of a step; one stage of the replica reports its loss.</summary>
    private protected void EnqueueEnd(long step, bool reports)
    {
        if (reports)
        {
            Enqueue(InstructionKind.Report, step, 0);
        }

        Enqueue(InstructionKind.Contribute, step, 0);
    }

    private protected void Enqueue(InstructionKind kind, long step, int microBatch)
    {
        if (_count == _pass.Length)
        {
            Array.Resize(ref _pass, 2 * _count);
        }

        _pass[_count++] = new Instruction(kind, step, microBatch);
    }
}
