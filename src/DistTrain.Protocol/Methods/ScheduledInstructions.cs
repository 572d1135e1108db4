using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Schedules;

namespace DistTrain.Protocol.Methods;

/// <summary>How a step's error comes to the stages before the last one.</summary>
internal enum SignalFlow
{
    /// <summary>From stage to stage, as in backpropagation.</summary>
    Chain,

    /// <summary>From the last stage to all others at once (direct feedback alignment).</summary>
    Broadcast,

    /// <summary>From stage to stage, as targets (target propagation).</summary>
    Targets,
}

/// <summary>
/// Step t runs the passes of its schedule with the weights after step t − 1, and contributes once at its end.
/// </summary>
/// <param name="schedule">The order of passes.</param>
/// <param name="flow">How errors come to the stages.</param>
/// <param name="stages">Number of stages.</param>
/// <param name="microBatches">Of a step.</param>
/// <param name="stage">Which stage.</param>
/// <param name="committedStep">The step before the first.</param>
/// <param name="collecting">Says behind which micro-batches the stage multiplies out gradients; null where its backward passes do.</param>
internal sealed class ScheduledInstructions(
    Schedule schedule, SignalFlow flow, int stages, int microBatches, int stage, long committedStep, RunPlan? collecting = null)
    : InstructionSource(stage, stages)
{
    private readonly IReadOnlyList<Pass> _passes = schedule.Passes(stages, microBatches, stage);
    private long _step = committedStep + 1;
    private int _next;

    public override long WeightsFor(in Instruction instruction) => instruction.Step - 1;

    // With several micro-batches the next ones keep everybody busy.
    public override bool MayLoadAhead(long step) => IsFirst && microBatches == 1 && step <= IssuedThrough;

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
            if (flow == SignalFlow.Broadcast && IsLast)
            {
                Enqueue(InstructionKind.Broadcast, _step, pass.MicroBatch);
            }
        }
        else
        {
            EnqueueBackwardOf(_step, pass.MicroBatch);
        }

        if (_next == _passes.Count)
        {
            EnqueueEnd(_step, reports: IsLast);
            _next = 0;
            _step++;
        }

        return true;
    }

    private void EnqueueBackwardOf(long step, int microBatch)
    {
        switch (flow)
        {
            case SignalFlow.Broadcast:
                if (!IsLast)
                {
                    Enqueue(InstructionKind.ReceiveSignal, step, microBatch);
                }

                Enqueue(InstructionKind.Backward, step, microBatch);
                Enqueue(InstructionKind.Free, step, microBatch);
                break;
            case SignalFlow.Targets:
                EnqueueTarget(step, microBatch);
                break;
            default:
                EnqueueBackward(step, microBatch);
                if (collecting?.MultipliedOutAfter(microBatch) > 0)
                {
                    // Behind the signal, for which the stage before waits.
                    Enqueue(InstructionKind.Gradient, step, microBatch);
                }

                break;
        }
    }

    /// <summary>The last stage takes the first target from the gradient of its input; the others pass targets on through
    /// their inverses before they update.</summary>
    private void EnqueueTarget(long step, int microBatch)
    {
        if (IsLast)
        {
            Enqueue(InstructionKind.Backward, step, microBatch);
            if (!IsFirst)
            {
                Enqueue(InstructionKind.Target, step, microBatch);
                Enqueue(InstructionKind.SendSignal, step, microBatch);
            }
        }
        else
        {
            Enqueue(InstructionKind.ReceiveSignal, step, microBatch);
            Enqueue(InstructionKind.Target, step, microBatch);
            if (!IsFirst)
            {
                Enqueue(InstructionKind.SendSignal, step, microBatch);
            }

            Enqueue(InstructionKind.Backward, step, microBatch);
        }

        Enqueue(InstructionKind.Free, step, microBatch);
    }
}
