namespace DistTrain.Protocol.Methods;

/// <summary>
/// Delayed gradients (Huo et al. 2018): at step t stage i of p (from 0) runs batch t forward and batch t − (p − 1 − i) backward,
/// on the signal that the stage behind has made at step t − 1. Before its first signal a stage does not update. With replay the
/// kept input runs forward again with today's weights; without, the backward pass uses what its own forward pass has kept.
/// </summary>
/// <param name="delay">p − 1 − i.</param>
/// <param name="replays">Features replay.</param>
internal sealed class DelayedInstructions(int delay, bool replays, int stages, int stage, long committedStep)
    : StepInstructions(stages, stage, committedStep)
{
    public override long WeightsFor(in Instruction instruction) =>
        instruction.Kind == InstructionKind.Replay ? instruction.Step + delay - 1 : instruction.Step - 1;

    public override long RowsOfSignal(long step) => step - delay;

    private protected override void EnqueueStep(long step)
    {
        EnqueueForward(step, 0);
        if (replays && !IsLast)
        {
            Enqueue(InstructionKind.KeepInput, step, 0);
        }

        long rows = step - delay;
        if (rows >= 1)
        {
            if (!IsLast)
            {
                Enqueue(InstructionKind.ReceiveSignal, rows, 0);
            }

            if (replays && !IsLast)
            {
                Enqueue(InstructionKind.Replay, rows, 0);
            }

            Enqueue(InstructionKind.Backward, rows, 0);
            if (!IsFirst)
            {
                Enqueue(InstructionKind.SendSignal, rows, 0);
            }

            Enqueue(InstructionKind.Free, rows, 0);
        }

        EnqueueEnd(step, reports: IsLast);
    }
}
