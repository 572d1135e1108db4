using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Checking;

/// <summary>
/// What is committed is kept, as far as durability <c>memory</c> promises: steps are committed one after the other, a committed step is in the weights, a recovery
/// goes on from the last committed step or, when a shard or the coordinator was lost, from no earlier than the last snapshot, and a step that is committed again
/// is the same step. Where shards have copies, only the loss of every one that was prepared for a step may take anything back, and that of a coordinator nothing.
/// Where a log is kept, nothing may.
/// </summary>
internal sealed class CommitChecker(RunPlan plan, ContributionChecker contributions, Findings findings) : IHostTap
{
    private const string Committed = "committed";
    private readonly Dictionary<long, StepCommitted> _reports = [];
    private long _committed, _reported, _everCommitted, _snapshot;
    private int _epochKept, _epochBegun;
    private int[] _incarnations = [], _members = [], _copies = [];
    private int _epochOfCopies;
    private bool _nodesLost;
    private readonly int[] _preparedBy = new int[plan.Topology.ShardActors];
    private readonly bool[] _gone = new bool[plan.Topology.ShardActors], _suspected = new bool[plan.Topology.Count];
    private readonly HashSet<int> _epochsWithoutState = [];

    /// <summary>Whether at some time no copy of a shard was left that had been prepared for a step.</summary>
    public bool LostEveryCopy { get; private set; }

    private bool HasCopies => plan.Topology.Copies > 1;

    private bool PromisesBits => !plan.Asynchronous && plan.Method.Synchronous;

    public void OnKept(ActorId actor, PersistRecord record)
    {
        switch (record)
        {
            case MembershipRecord membership:
                _epochKept = Math.Max(_epochKept, membership.Epoch);
                OnMembers(membership);
                break;
            case CommittedRecord committed:
                findings.Require(
                    committed.Epoch >= _epochKept, Committed,
                    () => $"the commit of step {committed.Step} in epoch {committed.Epoch} is kept behind the membership of epoch {_epochKept}");
                OnCommitted(committed.Step);
                break;
            case SnapshotRecord snapshot:
                findings.Require(
                    snapshot.Progress.Step <= _everCommitted, Committed,
                    () => $"a snapshot of step {snapshot.Progress.Step} is kept, and step {_everCommitted} is the last that was ever committed");
                _snapshot = snapshot.Progress.Step;
                break;
        }
    }

    /// <summary>With a node its disks are lost, and with them, perhaps, the snapshot: what is left of copies that were replaced may be older.</summary>
    public void OnFault(Fault fault) => _nodesLost |= fault is NodeLossFault;

    public void OnSuspected(ActorId actor) => _suspected[actor.Index] = true;

    public void OnDied(ActorId actor)
    {
        if (plan.Topology.RoleOf(actor) == ActorRole.Shard)
        {
            _gone[plan.Topology.PositionOf(actor)] = true;
            LostEveryCopy |= Enumerable.Range(0, plan.Topology.Shards).Any(shard => !CopiesOf(shard).Any(copy => IsPrepared(copy) && !_gone[copy]));
        }
    }

    public void OnDelivered(Envelope envelope)
    {
        if (envelope.Message is Prepared && envelope.Epoch == _epochBegun)
        {
            _preparedBy[plan.Topology.PositionOf(envelope.From)] = envelope.FromIncarnation;
            _gone[plan.Topology.PositionOf(envelope.From)] = false;
        }

        if (envelope.Message is not BeginEpoch begin || envelope.Epoch <= _epochBegun)
        {
            return;
        }

        _epochBegun = envelope.Epoch;
        long from = begin.CommittedStep;
        bool lost = HasCopies ? _epochsWithoutState.Contains(_epochBegun) : IsMemoryLost(begin.Incarnations);
        if (lost && !plan.KeepsLog)
        {
            findings.Require(
                (from >= _snapshot || _nodesLost) && from <= _committed, Committed,
                () => $"after a loss, epoch {_epochBegun} goes on from step {from}; a snapshot of step {_snapshot} was kept and step {_committed} committed");
        }
        else
        {
            findings.Require(
                from == _committed, Committed, () => $"epoch {_epochBegun} goes on from step {from}, and step {_committed} was committed");
        }

        for (int index = 0; index < _incarnations.Length; index++)
        {
            _suspected[index] &= begin.Incarnations[index] == _incarnations[index];
        }

        // A coordinator that reads of a commit in the log does not know whether the one before it got to report it.
        (_committed, _reported, _incarnations) = (from, plan.KeepsLog ? from : Math.Min(_reported, from), begin.Incarnations);
        for (int position = 0; position < _preparedBy.Length; position++)
        {
            // The epoch goes on without whoever was replaced, even if he should be a member again.
            bool replaced = _preparedBy[position] != begin.Incarnations[plan.Topology.ShardActor(position).Index];
            _preparedBy[position] = replaced ? 0 : _preparedBy[position];
        }
    }

    public void OnReport(Report report)
    {
        switch (report)
        {
            case StepCommitted step:
                OnReported(step);
                break;
            case RunEnded { End: RunEnd.Completed } ended:
                // Where redone steps may come out differently, early stopping may end the run before the step that was lost.
                bool mayEndEarlier = !PromisesBits && plan.Settings.Training.EarlyStoppingPatience is not null;
                findings.Require(
                    ended.Step == _committed && (ended.Step >= _everCommitted || mayEndEarlier), Committed,
                    () => $"the run ended with step {ended.Step}; step {_committed} is committed and step {_everCommitted} was");
                break;
        }
    }

    private void OnMembers(MembershipRecord membership)
    {
        (_members, _copies, _epochOfCopies) = (membership.Incarnations, membership.Copies, membership.Epoch);
        if (Enumerable.Range(0, plan.Topology.Shards).Any(shard => !CopiesOf(shard).Any(IsPrepared)))
        {
            _epochsWithoutState.Add(membership.Epoch);
            LostEveryCopy = true;
        }
        else
        {
            _epochsWithoutState.Remove(membership.Epoch);
        }
    }

    /// <summary>Whether a copy, at a position among all, was prepared as the incarnation that is a member: another has lost what was held. Of several memberships
    /// that are kept, the last counts, so one that was to be replaced may still be a member.</summary>
    private bool IsPrepared(int position) =>
        _preparedBy[position] > 0 && _preparedBy[position] == _members[plan.Topology.ShardActor(position).Index];

    /// <summary>
    /// Whether a step is committed only with a copy: one of the view. What a new coordinator writes down before its first epoch begins, the whole ones alone hold.
    /// </summary>
    private bool Counts(ActorId copy)
    {
        CopyState state = HasCopies ? (CopyState)_copies[plan.Topology.PositionOf(copy)] : CopyState.Whole;
        return state == CopyState.Whole || (state == CopyState.Empty && _epochBegun == _epochOfCopies);
    }

    private IEnumerable<int> CopiesOf(int shard) =>
        Enumerable.Range(0, plan.Topology.Copies).Select(copy => plan.Topology.PositionOf(plan.Topology.Shard(shard, copy)));

    /// <summary>Whether the coordinator or a shard is new in an epoch because it was lost. One that was moved is new too, and what it held was kept before.</summary>
    private bool IsMemoryLost(int[] incarnations)
    {
        bool lost = _incarnations.Length > 0 && incarnations[ActorId.Coordinator.Index] != _incarnations[ActorId.Coordinator.Index];
        for (int shard = 0; shard < plan.Topology.Shards && _incarnations.Length > 0; shard++)
        {
            int index = plan.Topology.Shard(shard).Index;
            lost |= incarnations[index] != _incarnations[index] && _suspected[index];
        }

        return lost;
    }

    private void OnCommitted(long step)
    {
        if (HasCopies && step <= _committed)
        {
            // A new coordinator writes down again what the one before may have written down where nobody can read it.
            return;
        }

        findings.Require(step == _committed + 1, Committed, () => $"step {step} was committed after step {_committed}");
        if (contributions.Lacks(step, Counts) is string lack)
        {
            findings.Add(Committed, $"step {step} was committed, and {lack}");
        }

        _committed = step;
        _everCommitted = Math.Max(_everCommitted, step);
    }

    private void OnReported(StepCommitted step)
    {
        findings.Require(step.Step <= _committed, Committed, () => $"step {step.Step} was reported before it was committed");
        findings.Require(
            step.Step == _reported + 1 || (HasCopies && step.Step <= _reported), Committed, () => $"step {step.Step} was reported after step {_reported}");
        _reported = Math.Max(_reported, step.Step);

        if (!_reports.TryAdd(step.Step, step) && PromisesBits)
        {
            findings.Require(
                _reports[step.Step] == step, Committed, () => $"step {step.Step} was committed as {_reports[step.Step]} and again as {step}");
        }
    }
}
