namespace DistTrain.Protocol.Methods;

/// <summary>What a layer actor does next. A pass of the schedule is a few of these.</summary>
public enum InstructionKind
{
    /// <summary>Load the micro-batch's inputs (first stage).</summary>
    LoadInput,

    /// <summary>Load the network's inputs for a local loss that compares with them (stages after the first).</summary>
    LoadNetworkInput,

    /// <summary>Wait for the activation of the stage before.</summary>
    ReceiveActivation,

    /// <summary>Forward pass with the weights that the method names.</summary>
    Forward,

    /// <summary>Forward pass again, of an earlier step's kept input, with today's weights.</summary>
    Replay,

    /// <summary>Send the output to the next stage.</summary>
    SendActivation,

    /// <summary>Load the micro-batch's targets.</summary>
    LoadTarget,

    /// <summary>The network's loss and its gradient (last stage).</summary>
    Loss,

    /// <summary>The stage's own loss and its gradient.</summary>
    LocalLoss,

    /// <summary>A synthetic gradient from the stage's predictor.</summary>
    Predict,

    /// <summary>Send the loss's gradient to every other stage (last stage).</summary>
    Broadcast,

    /// <summary>Wait for the signal of the next stage, or what a method sends in its place.</summary>
    ReceiveSignal,

    /// <summary>Make the stage's signal of the target that arrived, and the target of the stage before.</summary>
    Target,

    /// <summary>Backward pass with the weights of that micro-batch's forward pass.</summary>
    Backward,

    /// <summary>Multiply out the gradients of large weights for this micro-batch and those before it that were not yet.</summary>
    Gradient,

    /// <summary>Send the signal to the stage before.</summary>
    SendSignal,

    /// <summary>Fit the stage's predictor to the signal that arrived; step 0 where there is none yet.</summary>
    Fit,

    /// <summary>Keep nothing of the micro-batch but its input.</summary>
    KeepInput,

    /// <summary>Keep nothing of the micro-batch but its output.</summary>
    KeepOutput,

    /// <summary>Keep nothing of the micro-batch.</summary>
    Free,

    /// <summary>Send the step's gradient, or that there is none, to the parameter server; the step is over for this stage.</summary>
    Contribute,

    /// <summary>Send the step's loss to the coordinator.</summary>
    Report,
}

/// <summary>One instruction.</summary>
/// <param name="Kind">What.</param>
/// <param name="Step">Of which step's rows, from 1; for a contribution the step that it is for.</param>
/// <param name="MicroBatch">Of which micro-batch, from 0.</param>
public readonly record struct Instruction(InstructionKind Kind, long Step, int MicroBatch);
