using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// One shard of the parameter server: holds the weights, optimizer state and carried state of its slices, computes version t
/// beside t − 1 from the
/// replicas' contributions, and keeps t − 1 until it learns that t is committed.
/// </summary>
public sealed partial class ParameterShard : ActorMachine
{
    private readonly SliceState[] _slices;
    private readonly Dictionary<int, SliceState> _byIndex = [];
    private readonly int _shard, _replicas;
    private readonly long _aheadMax;
    private readonly ShardExpansion _expansion;
    private long _issued, _committed, _prepared, _stalenessSteps, _snapshotStep = -1;
    private double _rateFactor = 1;
    private int _restoring, _snapshotting, _readySlices;

    /// <summary>A shard.</summary>
    public ParameterShard(RunPlan plan, ActorId self, int incarnation, long run)
        : base(plan, self, incarnation, run)
    {
        _shard = plan.Topology.ShardOf(self);
        _replicas = plan.Settings.Replicas;

        // A copy may be prepared for as many steps as are uncommitted, and the progress that tells of a commit may be that much behind.
        int window = (2 * plan.StepsUncommittedMax) + 2;
        _decisions = new Decision[window];
        _results = KeepsBook ? [.. Enumerable.Range(0, window).Select(_ => new StepResult?[_replicas])] : [];
        _slices = [.. plan.Slices.Where(slice => slice.Shard == _shard).Select(slice => new SliceState(slice, _replicas, plan.Asynchronous))];
        foreach (SliceState slice in _slices)
        {
            _byIndex.Add(slice.Plan.Index, slice);
        }

        _expansion = new ShardExpansion(plan.Topology.Shares);
        _aheadMax = plan.Method.StepsAheadMax(plan.Settings);
    }

    /// <inheritdoc/>
    public override string WaitsFor =>
        _restoring > 0 ? "the restore of its parameters"
        : _prepared >= _issued ? ""
        : $"contributions to step {_prepared + 1}";

    private protected override void OnMessage(ActorId from, Message message)
    {
        switch (message)
        {
            case Contribution contribution:
                OnContribution(contribution);
                break;
            case Carry carry:
                OnCarry(carry);
                break;
            case IssueStep issue:
                _issued = issue.Step;
                _rateFactor = issue.RateFactor;
                SettleShares();
                AdvanceAll();
                break;
            case Decision decision:
                _decisions[decision.Step % _decisions.Length] = decision;
                AdvanceAll();
                break;
            case StepResult result:
                OnResult(result);
                break;
            case CommittedProgress progress:
                _progress = progress;
                break;
            case SliceCopy copy:
                OnSliceCopy(copy);
                break;
            case Committed committed:
                OnCommitted(committed.Step);
                break;
            case TakeSnapshot snapshot:
                _snapshotStep = snapshot.Step;
                if (_restoring == 0)
                {
                    TakeSnapshot();
                }

                break;
            case Expand expand:
                _expansion.Step = expand.Step;
                SendCoefficients();
                ExpandHistories();
                break;
            case ExpandedShare share:
                _expansion.Take(share, Effects);
                AssembleIfReady();
                break;
            default:
                throw new InvariantException($"A shard takes no {message.GetType().Name}.");
        }
    }

    private protected override void OnJobDone(Job job)
    {
        switch (job)
        {
            case ApplyJob apply:
                OnApplied(StateOf(apply.Slice), apply);
                break;
            case PartialsJob partials:
                Send(ActorId.Coordinator, new Partials(partials.Step, partials.Slice, partials.Outputs[0]));
                Effects.Release(partials.Outputs[0]);
                break;
            case RestoreJob restore:
                OnRestored(StateOf(restore.Slice), restore);
                break;
            case AssembleJob assemble:
                OnAssembled(assemble.Outputs);
                break;
            case ExpandHistoryJob expand:
                OnExpanded(Plan.Histories[expand.History].ExpandedSlice, _expansion.Step, expand.Outputs);
                break;
            case SnapshotJob:
                _snapshotting--;
                AnswerSnapshot();

                break;
        }
    }

    private protected override void OnPersisted(PersistRecord record)
    {
        if (record is PreparedRecord prepared && prepared.Epoch == Epoch)
        {
            Send(ActorId.Coordinator, new Prepared(prepared.Step, _shard, _stalenessSteps, NonFiniteLayer(prepared.Step)));
        }
    }

    private protected override void OnEpoch(long committedStep)
    {
        (_issued, _committed, _prepared) = (committedStep, committedStep, committedStep);
        (_restoring, _snapshotting, _snapshotStep, _readySlices) = (0, 0, -1, 0);
        // The book of a copy that gets its state from another is as old as its state.
        ForgetAfter(GetsState ? -1 : committedStep);
        _expansion.Forget(Effects);
        foreach (SliceState slice in _slices)
        {
            slice.ForgetWork(Effects);
            Rewind(slice, committedStep);
        }
    }

    private protected override void ReleaseState()
    {
        _expansion.Forget(Effects);
        foreach (SliceState slice in _slices)
        {
            slice.ForgetWork(Effects);
            slice.DropAll(Effects);
        }
    }

    /// <summary>Whether this copy's state comes from the primary.</summary>
    private bool GetsState => View.StateOf(Self) == CopyState.Empty && !IsPrimary;

    /// <summary>Brings a slice to the state that the new epoch goes on from.</summary>
    private void Rewind(SliceState slice, long committedStep)
    {
        if (GetsState)
        {
            slice.DropAll(Effects);
            _restoring++;
            return;
        }

        // A version computed beyond the committed step is worth keeping only where it would come out the same without a new
        // decision.
        // Asynchronous modes keep one version, which holds all that was applied.
        bool keepsPrepared = Plan.Method.Synchronous && !Plan.NeedsDecision;
        if (!Plan.Asynchronous && !slice.Plan.Frozen)
        {
            slice.DropAfter(keepsPrepared ? committedStep + 1 : committedStep, Effects);
        }

        bool usable = slice.Plan.Frozen ? slice.HasVersion
            : Plan.Asynchronous ? slice.HasVersion && slice.AppliedByAll >= committedStep
            : slice.Find(committedStep) is { IsWhole: true };
        if (usable)
        {
            slice.DropBefore(committedStep, Effects);
            SendToAll(slice, committedStep);
            return;
        }

        slice.DropAll(Effects);
        _restoring++;
        Run(new RestoreJob(slice.Plan, _replicas) { Step = committedStep });
    }

    private void OnRestored(SliceState slice, RestoreJob job)
    {
        job.AppliedSteps.CopyTo(slice.AppliedSteps, 0);
        Install(slice, job.Step, job.Updates, job.Outputs);
    }

    /// <summary>Puts a slice's state in place: buffers as in the outputs of a restore job, whose references now belong here.</summary>
    private void Install(SliceState slice, long step, long updates, BufferHandle[] state)
    {
        _restoring--;
        SliceVersion version = slice.NewVersion();
        (version.Step, version.Updates) = (step, updates);
        (version.Weights, version.OptimizerState) = (state[0], state[1]);
        state.AsSpan(2, version.Carried.Length).CopyTo(version.Carried);
        for (int age = slice.Plan.OlderVersions; age > 0; age--)
        {
            PushOlder(slice, step - age, state[2 + version.Carried.Length + age - 1]);
        }

        slice.Push(version);
        SendToAll(slice, step);
        TakeBacklog(slice);
        Advance(slice);
        Prepare();
        if (_restoring == 0 && _snapshotStep >= 0)
        {
            TakeSnapshot();
        }

        SendCoefficients();
        ExpandHistories();
        AssembleIfReady();
    }

    private void PushOlder(SliceState slice, long step, BufferHandle weights)
    {
        if (!weights.IsNone)
        {
            SliceVersion older = slice.NewVersion();
            (older.Step, older.Weights) = (step, weights);
            older.ReleaseAllButWeights(Effects);
            slice.Push(older);
        }
    }

    /// <summary>Where this is the primary, tells layer actors and copies without state what a slice is at the step that the epoch begins with.</summary>
    private void SendToAll(SliceState slice, long step)
    {
        if (IsPrimary)
        {
            SendToCopies(slice, step);
            SendToAllReplicas(slice, step);
        }
    }

    private void SendToAllReplicas(SliceState slice, long step)
    {
        SliceVersion version = slice.Find(step) ?? slice.Newest;
        if (slice.Plan.Frozen)
        {
            for (int share = 0; share < Plan.Topology.Shares && slice.Plan.Index == Plan.WeightSlice; share++)
            {
                Send(Plan.Topology.ShareActor(share), new Weights(step, slice.Plan.Index, version.Weights, BufferHandle.None));
            }

            return;
        }

        for (int replica = 0; replica < _replicas; replica++)
        {
            SendCarried(slice, version, replica, step);
            for (long older = step - slice.Plan.OlderVersions; older < step; older++)
            {
                if (slice.Find(older) is SliceVersion kept)
                {
                    SendWeights(slice, kept.Weights, replica, older, BufferHandle.None);
                }
            }

            SendWeights(slice, version.Weights, replica, step, ResidualOf(slice, version, replica));
        }
    }

    private void SendWeights(SliceState slice, BufferHandle weights, int replica, long step, BufferHandle residual) =>
        Send(Plan.Topology.LayerActor(replica, slice.Plan.Stage), new Weights(step, slice.Plan.Index, weights, residual));

    private void OnContribution(Contribution contribution)
    {
        SliceState slice = StateOf(contribution.Slice);
        if (Waits(slice, contribution.Replica))
        {
            Keep(slice, contribution.Replica, contribution);
        }
        else
        {
            TakeContribution(slice, contribution);
        }
    }

    private void TakeContribution(SliceState slice, Contribution contribution)
    {
        long applied = Plan.Asynchronous ? slice.AppliedSteps[contribution.Replica] : slice.Newest.Step;
        if (contribution.Step <= applied)
        {
            AnswerAlreadyApplied(slice, contribution, applied);
            return;
        }

        Effects.Retain(contribution.Gradient);
        slice.Take(contribution.Replica, contribution.Step, contribution.Gradient);
        if (Plan.CarriesResidual)
        {
            Effects.Retain(contribution.Carried);
            slice.Carry(contribution.Replica, 0, contribution.Carried, Effects);
        }

        Advance(slice);
    }

    /// <summary>Prepared before a recovery: the result stands, and the contributor only needs to hear it.</summary>
    private void AnswerAlreadyApplied(SliceState slice, Contribution contribution, long applied)
    {
        if (Plan.Asynchronous && contribution.Step == applied)
        {
            slice.Unanswered[contribution.Replica] = true;
            AnswerWithinBound(slice);
            return;
        }

        if (!IsPrimary)
        {
            return;
        }

        SliceVersion version = slice.Find(contribution.Step) ?? slice.Newest;
        SendWeights(slice, version.Weights, contribution.Replica, contribution.Step, ResidualOf(slice, version, contribution.Replica));
    }

    private void AdvanceAll()
    {
        foreach (SliceState slice in _slices)
        {
            Advance(slice);
        }

        Prepare();
    }

    private void OnCommitted(long step)
    {
        _committed = step;
        foreach (SliceState slice in _slices)
        {
            slice.DropBefore(step, Effects);
        }

        AdvanceAll();
    }

    private void TakeSnapshot()
    {
        _snapshotting = _slices.Length;
        foreach (SliceState slice in _slices)
        {
            SliceVersion version = slice.Find(_snapshotStep) ?? slice.Newest;
            InvariantException.Require(
                version.Step == _snapshotStep || Plan.Asynchronous || slice.Plan.Frozen, "The version of a committed step is there until the next commit.");
            SnapshotJob job = new(slice.Plan, _replicas)
            {
                Step = _snapshotStep, Updates = version.Updates, Copy = Plan.Topology.CopyOf(Self), Primary = IsPrimary,
            };
            StateAt(slice, version, _snapshotStep).CopyTo(job.Inputs, 0);
            slice.AppliedSteps.CopyTo(job.AppliedSteps, 0);
            Run(job);
        }

        AnswerSnapshot();
    }

    /// <summary>A shard without slices has nothing to keep, and answers all the same.</summary>
    private void AnswerSnapshot()
    {
        if (_snapshotting == 0)
        {
            Send(ActorId.Coordinator, new SnapshotTaken(_snapshotStep, _shard));
        }
    }

    private SliceState StateOf(int slice) =>
        _byIndex.TryGetValue(slice, out SliceState? state) ? state : throw new InvariantException($"Slice {slice} lives on shard {_shard}.");
}
