namespace DistTrain.Protocol.Methods;

/// <summary>
/// PipeDream (Narayanan et al. 2019): every step is one micro-batch, stage i of p runs p − i steps ahead, each step updates
/// the stage's weights at once, and a backward pass uses the weights of its own forward pass. The weights of step t's forward
/// pass are those after step t − (p − i): fixed by the order of passes, not by timing. At a barrier the pipeline drains and
/// fills again.
/// </summary>
internal sealed class PipeDreamInstructions(int stages, int stage, long committedStep) : InstructionSource(stage, stages)
{
    private readonly int _depth = stages - stage;
    private long _forward = committedStep, _backward = committedStep, _segmentStart = committedStep;

    public override long WeightsFor(in Instruction instruction) => Math.Max(_segmentStart, instruction.Step - _depth);

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
            EnqueueEnd(_backward, reports: IsLast);
            return true;
        }

        return false;
    }
}
