namespace DistTrain.Protocol.Methods;

/// <summary>What a stage before the last one does with its activations.</summary>
internal enum LocalStep
{
    /// <summary>Nothing: neither reached nor needed by the stage that trains.</summary>
    Idle,

    /// <summary>Passes them on, and stays as it is.</summary>
    Forward,

    /// <summary>Passes them on, and updates from a loss of its own.</summary>
    Train,

    /// <summary>Updates from a loss of its own; nobody waits for them.</summary>
    TrainAlone,
}

/// <summary>
/// Stages that learn from losses of their own, or not at all: nothing ever comes back. The activation is sent before the stage
/// computes anything for itself.
/// </summary>
/// <param name="role">What the stage does in a step.</param>
/// <param name="comparesInput">Whether the local loss compares with the network's inputs.</param>
/// <param name="reporter">The stage whose loss is a step's.</param>
internal sealed class LocalInstructions(
    Func<long, LocalStep> role, bool comparesInput, Func<long, int> reporter, int stages, int microBatches, int stage, long committedStep)
    : StepInstructions(stages, stage, committedStep)
{
    private readonly int _stage = stage;

    public override bool HasWorkIn(long step) => role(step) != LocalStep.Idle;

    private protected override void EnqueueStep(long step)
    {
        LocalStep now = role(step);
        for (int microBatch = 0; microBatch < microBatches && now != LocalStep.Idle; microBatch++)
        {
            EnqueueActivation(step, microBatch);
            if (!IsLast && now != LocalStep.TrainAlone)
            {
                Enqueue(InstructionKind.SendActivation, step, microBatch);
            }

            if (now != LocalStep.Forward)
            {
                EnqueueTraining(step, microBatch);
            }

            Enqueue(InstructionKind.Free, step, microBatch);
        }

        EnqueueEnd(step, reports: reporter(step) == _stage);
    }

    private void EnqueueTraining(long step, int microBatch)
    {
        Enqueue(InstructionKind.LoadTarget, step, microBatch);
        if (comparesInput && !IsFirst && !IsLast)
        {
            Enqueue(InstructionKind.LoadNetworkInput, step, microBatch);
        }

        Enqueue(IsLast ? InstructionKind.Loss : InstructionKind.LocalLoss, step, microBatch);
        Enqueue(InstructionKind.Backward, step, microBatch);
    }
}
