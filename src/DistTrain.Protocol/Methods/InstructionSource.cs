using DistTrain.Protocol.Schedules;

namespace DistTrain.Protocol.Methods;

/// <summary>
/// The instructions of one stage, one after the other, over all steps of an epoch of the protocol. Which steps may start is
/// the coordinator's
/// word; in which order their passes come is the method's.
/// </summary>
public abstract class InstructionSource
{
    private readonly Queue<Instruction> _queue = new();
    private readonly bool _first, _last;

    private protected InstructionSource(int stage, int stages)
    {
        _first = stage == 0;
        _last = stage == stages - 1;
    }

    /// <summary>The last step that may start.</summary>
    protected long IssuedThrough { get; private set; }

    /// <summary>No step after this one is coming for now; null when more are expected.</summary>
    protected long? DrainAfter { get; private set; }

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
        while (_queue.Count == 0)
        {
            if (!EnqueuePass())
            {
                instruction = default;
                return false;
            }
        }

        return _queue.TryDequeue(out instruction);
    }

    /// <summary>The weights that the forward pass of a step must use: those after this step.</summary>
    public abstract long WeightsFor(long step);

    /// <summary>Adds the next pass to the queue, if one may start.</summary>
    private protected abstract bool EnqueuePass();

    private protected void EnqueueForward(long step, int microBatch)
    {
        Enqueue(_first ? InstructionKind.LoadInput : InstructionKind.ReceiveActivation, step, microBatch);
        Enqueue(InstructionKind.Forward, step, microBatch);
        if (_last)
        {
            Enqueue(InstructionKind.LoadTarget, step, microBatch);
            Enqueue(InstructionKind.Loss, step, microBatch);
        }
        else
        {
            Enqueue(InstructionKind.SendActivation, step, microBatch);
        }
    }

    private protected void EnqueueBackward(long step, int microBatch)
    {
        if (!_last)
        {
            Enqueue(InstructionKind.ReceiveSignal, step, microBatch);
        }

        Enqueue(InstructionKind.Backward, step, microBatch);
        if (!_first)
        {
            Enqueue(InstructionKind.SendSignal, step, microBatch);
        }
    }

    private protected void Enqueue(InstructionKind kind, long step, int microBatch) =>
        _queue.Enqueue(new Instruction(kind, step, microBatch));
}

/// <summary>Exact gradients: step t runs its schedule with the weights after step t − 1, and contributes once at its
/// end.</summary>
internal sealed class BackpropInstructions(Schedule schedule, int stages, int microBatches, int stage, long committedStep)
    : InstructionSource(stage, stages)
{
    private readonly IReadOnlyList<Pass> _passes = schedule.Passes(stages, microBatches, stage);
    private long _step = committedStep + 1;
    private int _next;

    public override long WeightsFor(long step) => step - 1;

    private protected override bool EnqueuePass()
    {
        if (_step > IssuedThrough)
        {
            return false;
        }

        Pass pass = _passes[_next++];
        if (pass.Kind == PassKind.Forward)
        {
            EnqueueForward(_step, pass.MicroBatch);
        }
        else
        {
            EnqueueBackward(_step, pass.MicroBatch);
        }

        if (_next == _passes.Count)
        {
            Enqueue(InstructionKind.Contribute, _step, 0);
            _next = 0;
            _step++;
        }

        return true;
    }
}

/// <summary>
/// PipeDream (Narayanan et al. 2019): every step is one micro-batch, stage i of p runs p − i steps ahead, each step updates
/// the stage's weights at
/// once, and a backward pass uses the weights of its own forward pass. The weights of step t's forward pass are those after
/// step t − (p − i):
/// fixed by the order of passes, not by timing. At a barrier the pipeline drains and fills again.
/// </summary>
internal sealed class PipeDreamInstructions(int stages, int stage, long committedStep) : InstructionSource(stage, stages)
{
    private readonly int _depth = stages - stage;
    private long _forward = committedStep, _backward = committedStep, _segmentStart = committedStep;

    public override long WeightsFor(long step) => Math.Max(_segmentStart, step - _depth);

    private protected override bool EnqueuePass()
    {
        bool mayForward = _forward < IssuedThrough && (DrainAfter is not long drain || _forward < drain);
        if (_forward == _backward)
        {
            // The pipeline is empty: whatever comes next starts from the newest weights, as after a fresh start.
            _segmentStart = _backward;
        }

        if (mayForward && _forward - _backward < _depth)
        {
            EnqueueForward(++_forward, 0);
            return true;
        }

        bool mustBackward = _forward - _backward == _depth || DrainAfter == _forward;
        if (_backward < _forward && mustBackward)
        {
            EnqueueBackward(++_backward, 0);
            Enqueue(InstructionKind.Contribute, _backward, 0);
            return true;
        }

        return false;
    }
}
