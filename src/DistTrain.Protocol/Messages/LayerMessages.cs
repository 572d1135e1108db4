using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>Layer actor to the next: the activations of a micro-batch.</summary>
/// <param name="Step">The step.</param>
/// <param name="MicroBatch">From 0.</param>
/// <param name="NonFiniteLayer">First layer so far with a value that is not finite, or −1.</param>
/// <param name="Buffer">Rows × the stage's outputs.</param>
[MessageTag("activation")]
public sealed record Activation(long Step, int MicroBatch, int NonFiniteLayer, BufferHandle Buffer) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Layer actor to the one before: the gradient of the loss with respect to that stage's output.</summary>
[MessageTag("signal")]
public sealed record Signal(long Step, int MicroBatch, BufferHandle Buffer) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Layer actor to a shard: the gradient of one slice for one step, all micro-batches added in index order.</summary>
/// <param name="Step">The step.</param>
/// <param name="Slice">The slice.</param>
/// <param name="Replica">Whose contribution it is.</param>
/// <param name="Gradient">The slice's gradient, possibly compressed.</param>
/// <param name="Carried">State that outlives the step and is committed with it, or none.</param>
[MessageTag("contribution")]
public sealed record Contribution(long Step, int Slice, int Replica, BufferHandle Gradient, BufferHandle Carried) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Gradient;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Carried;

    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Final-layer actor to the coordinator: what a step's forward passes gave.</summary>
/// <param name="Step">The step.</param>
/// <param name="Replica">Whose rows.</param>
/// <param name="LossSum">Sum over the replica's rows, micro-batches in index order.</param>
/// <param name="Correct">Rows classified right.</param>
/// <param name="Rows">The replica's rows.</param>
/// <param name="NonFiniteLayer">First layer with a value that is not finite, or −1.</param>
[MessageTag("step-result")]
public sealed record StepResult(long Step, int Replica, double LossSum, int Correct, int Rows, int NonFiniteLayer) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Layer actor to the next: activations of evaluation rows.</summary>
[MessageTag("evaluation-activation")]
public sealed record EvaluationActivation(int Round, int Batch, BufferHandle Buffer) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Buffer;
}

/// <summary>Final-layer actor to the first layer actor of its replica: one more evaluation batch may enter the
/// pipeline.</summary>
[MessageTag("evaluation-credit")]
public sealed record EvaluationCredit(int Round, int Batch) : Message;

/// <summary>Final-layer actor to the coordinator: its replica's part of an evaluation.</summary>
[MessageTag("evaluation-result")]
public sealed record EvaluationResult(int Round, int Replica, double LossSum, int Correct, int Rows) : Message;
