using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>
/// Coordinator to all: forget everything under way and go on from a committed step. The envelope carries the new epoch.
/// </summary>
/// <param name="CommittedStep">t*: the state to go on from.</param>
/// <param name="Incarnations">The members' incarnations, in actor order.</param>
/// <param name="Copies">The <see cref="Planning.CopyState"/> of each copy of a shard, first copies before second ones; empty where shards have one copy.</param>
[MessageTag("begin-epoch")]
public sealed record BeginEpoch(long CommittedStep, int[] Incarnations, int[] Copies) : Message;

/// <summary>Coordinator to all: a step may start.</summary>
/// <param name="Step">From 1, one after the other.</param>
/// <param name="RateFactor">Factor on the schedule's learning rate (reduce-on-plateau).</param>
/// <param name="Barrier">No step follows until this one is committed: pipelines that run several steps at once drain.</param>
[MessageTag("issue-step")]
public sealed record IssueStep(long Step, double RateFactor, bool Barrier) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Coordinator to layer actors: no step after this one is coming for now, so drain.</summary>
[MessageTag("drain")]
public sealed record Drain(long LastStep) : Message;

/// <summary>Coordinator to shards: step is committed; older versions may go.</summary>
[MessageTag("committed")]
public sealed record Committed(long Step) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Coordinator to shards: the decision on a step that needs the whole model.</summary>
[MessageTag("decision")]
public sealed record Decision(long Step, double GradientScale, int ChosenReplica) : Message
{
    /// <inheritdoc/>
    internal override bool MayBeAcknowledgedLate => true;
}

/// <summary>Coordinator to shards: keep the state of a committed step outside.</summary>
[MessageTag("take-snapshot")]
public sealed record TakeSnapshot(long Step) : Message;

/// <summary>Coordinator to layer actors: pass a split through the network with the weights of a committed step.</summary>
[MessageTag("evaluate")]
public sealed record Evaluate(int Round, long Step, DataSplit Split) : Message;
