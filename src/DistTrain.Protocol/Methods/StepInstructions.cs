namespace DistTrain.Protocol.Methods;

/// <summary>Methods whose stages finish their part of step t on their own: one step after the other, each from the weights
/// after the step before.</summary>
internal abstract class StepInstructions(int stages, int stage, long committedStep) : InstructionSource(stage, stages)
{
    private long _step = committedStep + 1;

    public override long WeightsFor(in Instruction instruction) => instruction.Step - 1;

    private protected override bool EnqueuePass()
    {
        if (_step > IssuedThrough)
        {
            return false;
        }

        EnqueueStep(_step++);
        return true;
    }

    /// <summary>Adds a whole step.</summary>
    private protected abstract void EnqueueStep(long step);
}
