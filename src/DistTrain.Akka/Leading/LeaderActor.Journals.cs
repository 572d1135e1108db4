using System.Text.Json;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Leading;

/// <summary>
/// Runs that keep a log. Each node has its part of it on its own disk: a shard's stays where the shard lived, the coordinator's where the
/// coordinator did. So no committed step is given up while a node that keeps it may come back: a shard goes only where snapshot and log
/// reach the last committed step, and a new coordinator begins only when the one before has told by its log what it had committed.
/// </summary>
internal sealed partial class LeaderActor
{
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(10);

    private bool _takesOver;
    private long _reachNeeded, _saidAt;

    private bool KeepsLog => _plan?.KeepsLog ?? false;

    private void TakeKept(LeaderNode node, Ready ready)
    {
        node.Kept = ready.Kept.Length == 0 ? KeptRun.Nothing : JsonSerializer.Deserialize(ready.Kept, NodeJson.Default.KeptRun) ?? KeptRun.Nothing;
        if (_phase == Phase.Preparing && node.Kept.Leader >= ClusterJob.LeaderOf(_run))
        {
            // A resumed run: it has had leaders before, of which this one must not take the number.
            Begin(_job!, node.Kept.Leader + 1);
        }
    }

    private KeptRun NewestKept => _nodes.Where(node => node.IsThere && node.CanHost).Select(node => node.Kept).Aggregate(KeptRun.Nothing, KeptRun.Later);

    /// <summary>Where the coordinator begins.</summary>
    private CoordinatorProgress Start()
    {
        CoordinatorProgress snapshot = Newest(_from, _job!.From) ?? new CoordinatorProgress();
        return KeepsLog ? StartingPoint.Newest(snapshot, NewestKept.Committed) ?? snapshot : snapshot;
    }

    /// <summary>What the run still waits for before it can go on; null for nothing.</summary>
    private string? Missing()
    {
        if (!KeepsLog)
        {
            return null;
        }

        long before = ClusterJob.LeaderOf(_run) - 1, step = Start().Step;
        if (_takesOver && !_nodes.Exists(node => node.IsThere && node.CanHost && node.Kept.Leader >= before))
        {
            return "the node that keeps the coordinator's log";
        }

        return step < (_job!.From?.Step ?? 0) ? $"a node that keeps the commit of step {_job.From!.Step}" : null;
    }

    /// <summary>
    /// Whether a node may host an actor for all that it keeps. One that keeps nothing may where a snapshot reaches as far as the logs: a node's, or the client's, which is all
    /// that is left of a run that was stopped in order.
    /// </summary>
    private bool HasKept(ActorId actor, int index, LeaderNode node) =>
        !KeepsLog
        || _plan!.Topology.RoleOf(actor) != ActorRole.Shard
        || _nodeOf[actor.Index] == index
        || _reachNeeded == 0
        || (_plan.Topology.ShardOf(actor) is int shard && shard < node.Kept.Reach.Length && node.Kept.Reach[shard] >= _reachNeeded)
        || node.SnapshotStep >= _reachNeeded
        || (_job!.HoldsSnapshot && _job.From?.Step >= _reachNeeded);

    /// <summary>Whether whoever has no node is a shard that waits for the one that keeps its log.</summary>
    private bool HomelessWait() => KeepsLog && _phase == Phase.Running
        && Enumerable.Range(1, _nodeOf.Length - 1).All(index =>
            _nodeOf[index] != CapacityPlacement.Nowhere || _plan!.Topology.RoleOf(new ActorId(index)) == ActorRole.Shard);

    /// <summary>Goes on waiting for a node, but not for ever.</summary>
    private void Wait(string what)
    {
        SayWaiting(what);
        if (IsOver(_plan!.Settings.Patience))
        {
            Refuse($"the run waited for {what}");
        }
    }

    /// <summary>Says for whom the run waits, but not with every tick.</summary>
    private void SayWaiting(string what)
    {
        if (_saidAt == 0 || _time.GetElapsedTime(_saidAt) > SayEvery)
        {
            _saidAt = _time.GetTimestamp();
            Notice($"the run waits for {what}; start it again with its data-dir, or stop the run");
        }
    }
}
