namespace DistTrain.Protocol.Methods;

/// <summary>What a layer actor does next. A pass of the schedule is a few of these.</summary>
public enum InstructionKind
{
    /// <summary>Load the micro-batch's inputs (first stage).</summary>
    LoadInput,

    /// <summary>Wait for the activation of the stage before.</summary>
    ReceiveActivation,

    /// <summary>Forward pass with the weights that the method names.</summary>
    Forward,

    /// <summary>Send the output to the next stage.</summary>
    SendActivation,

    /// <summary>Load the micro-batch's targets (last stage).</summary>
    LoadTarget,

    /// <summary>Loss and its gradient (last stage).</summary>
    Loss,

    /// <summary>Wait for the signal of the next stage.</summary>
    ReceiveSignal,

    /// <summary>Backward pass with the weights of that micro-batch's forward pass.</summary>
    Backward,

    /// <summary>Send the signal to the stage before.</summary>
    SendSignal,

    /// <summary>Send the step's gradient to the parameter server; the step is over for this stage.</summary>
    Contribute,
}

/// <summary>One instruction.</summary>
/// <param name="Kind">What.</param>
/// <param name="Step">Of which step, from 1.</param>
/// <param name="MicroBatch">Of which micro-batch, from 0.</param>
public readonly record struct Instruction(InstructionKind Kind, long Step, int MicroBatch);
