namespace DistTrain.Protocol.Methods;

/// <summary>
/// Synthetic gradients (Jaderberg et al. 2017): a stage updates from its predictor right after its forward pass, sends what
/// that makes of its input's gradient to the stage before, and fits the predictor to the signal that the stage behind has sent
/// for the rows of an earlier step.
/// </summary>
/// <param name="delay">Steps between a batch and the fit to its signal; 0 waits for the signal.</param>
/// <param name="conditioned">Whether predictors see targets.</param>
internal sealed class SyntheticInstructions(int delay, bool conditioned, int stages, int stage, long committedStep)
    : StepInstructions(stages, stage, committedStep)
{
    private protected override void EnqueueStep(long step)
    {
        EnqueueForward(step, 0);
        if (IsLast)
        {
            EnqueueBackward(step, 0);
            EnqueueEnd(step, reports: true);
            return;
        }

        if (conditioned)
        {
            Enqueue(InstructionKind.LoadTarget, step, 0);
        }

        Enqueue(InstructionKind.Predict, step, 0);
        Enqueue(InstructionKind.Backward, step, 0);
        if (!IsFirst)
        {
            Enqueue(InstructionKind.SendSignal, step, 0);
        }

        Enqueue(InstructionKind.KeepOutput, step, 0);
        EnqueueFit(step - delay);
        EnqueueEnd(step, reports: false);
    }

    private void EnqueueFit(long rows)
    {
        if (rows < 1)
        {
            Enqueue(InstructionKind.Fit, 0, 0);
            return;
        }

        Enqueue(InstructionKind.ReceiveSignal, rows, 0);
        if (conditioned)
        {
            Enqueue(InstructionKind.LoadTarget, rows, 0);
        }

        Enqueue(InstructionKind.Fit, rows, 0);
        Enqueue(InstructionKind.Free, rows, 0);
    }
}
