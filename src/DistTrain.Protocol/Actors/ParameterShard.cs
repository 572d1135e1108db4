using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// One shard of the parameter server: holds the weights, optimizer state and carried state of its slices, computes version t beside t − 1 from the
/// replicas' contributions, and keeps t − 1 until it learns that t is committed.
/// </summary>
public sealed class ParameterShard : ActorMachine
{
    private readonly SliceState[] _slices;
    private readonly int _shard, _replicas;
    private readonly long _aheadMax;
    private readonly ShardExpansion _expansion;
    private long _issued, _committed, _prepared, _stalenessSteps, _snapshotStep = -1;
    private double _rateFactor = 1, _gradientScale = 1;
    private int _chosenReplica = -1, _restoring, _snapshotting;
    private long _decidedStep;

    /// <summary>A shard.</summary>
    public ParameterShard(RunPlan plan, ActorId self, int incarnation, long run)
        : base(plan, self, incarnation, run)
    {
        _shard = plan.Topology.ShardOf(self);
        _replicas = plan.Settings.Replicas;
        _slices = [.. plan.Slices.Where(slice => slice.Shard == _shard).Select(slice => new SliceState(slice, _replicas, plan.Asynchronous))];

        // A synchronous step waits for the commit of the one before; PipeDream's stages are up to the pipeline's depth apart.
        _expansion = new ShardExpansion(plan.Topology.Shares);
        _aheadMax = plan.Method.Synchronous ? 1 : plan.Stages.Count;
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
            case IssueStep issue:
                _issued = issue.Step;
                _rateFactor = issue.RateFactor;
                SettleShares();
                AdvanceAll();
                break;
            case Decision decision:
                (_decidedStep, _gradientScale, _chosenReplica) = (decision.Step, decision.GradientScale, decision.ChosenReplica);
                AdvanceAll();
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
                OnAssembled(StateOf(Plan.ExpandedSlice), assemble.Outputs);
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
        (_restoring, _snapshotting, _decidedStep, _snapshotStep) = (0, 0, 0, -1);
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

    /// <summary>Brings a slice to the state that the new epoch goes on from.</summary>
    private void Rewind(SliceState slice, long committedStep)
    {
        // A version computed beyond the committed step is worth keeping only where it would come out the same without a new decision.
        // Asynchronous modes keep one version, which holds all that was applied.
        bool keepsPrepared = Plan.Method.Synchronous && !Plan.NeedsDecision;
        if (!Plan.Asynchronous && !slice.Plan.Frozen)
        {
            slice.DropAfter(keepsPrepared ? committedStep + 1 : committedStep, Effects);
        }

        bool usable = slice.Plan.Frozen ? slice.HasVersion
            : Plan.Asynchronous ? slice.HasVersion && slice.AppliedByAll >= committedStep
            : slice.Find(committedStep) is not null;
        if (usable)
        {
            slice.DropBefore(committedStep, Effects);
            SendToAllReplicas(slice, committedStep);
            return;
        }

        slice.DropAll(Effects);
        _restoring++;
        Run(new RestoreJob(slice.Plan.Index, _replicas) { Step = committedStep });
    }

    private void OnRestored(SliceState slice, RestoreJob job)
    {
        _restoring--;
        SliceVersion version = slice.NewVersion();
        (version.Step, version.Updates) = (job.Step, job.Updates);
        (version.Weights, version.OptimizerState) = (job.Outputs[0], job.Outputs[1]);
        job.Outputs.AsSpan(2).CopyTo(version.Carried);
        slice.Push(version);
        job.AppliedSteps.CopyTo(slice.AppliedSteps, 0);
        SendToAllReplicas(slice, job.Step);
        Advance(slice);
        Prepare();
        if (_restoring == 0 && _snapshotStep >= 0)
        {
            TakeSnapshot();
        }

        SendCoefficients();
        AssembleIfReady();
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
            SendWeights(slice, version, replica, step, version.Carried[replica]);
        }
    }

    private void SendWeights(SliceState slice, SliceVersion version, int replica, long step, BufferHandle carried) =>
        Send(
            Plan.Topology.LayerActor(replica, slice.Plan.Stage),
            new Weights(step, slice.Plan.Index, version.Weights, carried));

    private void OnContribution(Contribution contribution)
    {
        SliceState slice = StateOf(contribution.Slice);
        long applied = Plan.Asynchronous ? slice.AppliedSteps[contribution.Replica] : slice.Newest.Step;
        if (contribution.Step <= applied)
        {
            AnswerAlreadyApplied(slice, contribution, applied);
            return;
        }

        Effects.Retain(contribution.Gradient);
        Effects.Retain(contribution.Carried);
        slice.Take(contribution.Replica, contribution.Step, contribution.Gradient, contribution.Carried);
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

        SliceVersion version = slice.Find(contribution.Step) ?? slice.Newest;
        SendWeights(slice, version, contribution.Replica, contribution.Step, version.Carried[contribution.Replica]);
    }

    private void AdvanceAll()
    {
        foreach (SliceState slice in _slices)
        {
            Advance(slice);
        }

        Prepare();
    }

    /// <summary>Applies what may be applied.</summary>
    private void Advance(SliceState slice)
    {
        if (slice.IsApplying || !slice.HasVersion || slice.Arrivals.Count == 0)
        {
            return;
        }

        if (Plan.Asynchronous)
        {
            if (slice.ContributedSteps[slice.Arrivals.Peek()] <= _issued)
            {
                ApplyOne(slice, slice.Arrivals.Dequeue());
            }

            return;
        }

        long step = slice.Newest.Step + 1;
        if (slice.Arrivals.Count < _replicas || step > _issued)
        {
            return;
        }

        if (Plan.NeedsDecision && _decidedStep < step)
        {
            AskPartials(slice, step);
        }
        else if (step - _committed <= _aheadMax)
        {
            ApplyAll(slice, step);
        }
    }

    private void AskPartials(SliceState slice, long step)
    {
        if (slice.PartialsAsked)
        {
            return;
        }

        slice.PartialsAsked = true;
        PartialsJob job = slice.Jobs.Partials;
        job.Step = step;
        slice.Gradients.CopyTo(job.Inputs, 0);
        job.Outputs[0] = BufferHandle.None;
        Run(job);
    }

    private void ApplyAll(SliceState slice, long step)
    {
        ApplyJob job = slice.Jobs.Apply;
        slice.Gradients.CopyTo(job.Inputs, 2);
        (job.GradientScale, job.ChosenReplica) = (_gradientScale, _chosenReplica);
        Start(slice, job, step);
    }

    private void ApplyOne(SliceState slice, int replica)
    {
        ApplyJob job = slice.Jobs.Apply;
        job.Inputs[2] = slice.Gradients[replica];
        slice.ApplyingReplica = replica;
        Start(slice, job, slice.ContributedSteps[replica]);
    }

    private void Start(SliceState slice, ApplyJob job, long step)
    {
        slice.IsApplying = true;
        job.Step = step;
        job.Update = slice.Newest.Updates + 1;
        job.LearningRate = Plan.LearningRate(step) * _rateFactor;
        job.Inputs[0] = slice.Newest.Weights;
        job.Inputs[1] = slice.Newest.OptimizerState;
        Array.Clear(job.Outputs);
        Run(job);
    }

    private void OnApplied(SliceState slice, ApplyJob job)
    {
        slice.IsApplying = false;
        slice.PartialsAsked = false;
        SliceVersion previous = slice.Newest, version = slice.NewVersion();
        version.Updates = job.Update;
        version.NonFiniteLayer = job.NonFiniteLayer;
        (version.Weights, version.OptimizerState) = (job.Outputs[0], job.Outputs[1]);
        if (Plan.Asynchronous)
        {
            OnAppliedOne(slice, version, previous, slice.ApplyingReplica, job.Step);
        }
        else
        {
            OnAppliedAll(slice, version, job.Step);
        }

        Prepare();
        Advance(slice);
    }

    private void OnAppliedAll(SliceState slice, SliceVersion version, long step)
    {
        version.Step = step;
        slice.Push(version);
        slice.Arrivals.Clear();
        for (int replica = 0; replica < _replicas; replica++)
        {
            MoveCarried(slice, version, replica);
            slice.AppliedSteps[replica] = step;
            SendWeights(slice, version, replica, step, BufferHandle.None);
        }
    }

    private void OnAppliedOne(SliceState slice, SliceVersion version, SliceVersion previous, int replica, long step)
    {
        _stalenessSteps = Math.Max(_stalenessSteps, step - 1 - slice.AppliedByAll);
        InvariantException.Require(
            step - 1 - slice.AppliedByAll <= Plan.StalenessStepsMax, "No replica is further ahead than the staleness bound.");
        for (int other = 0; other < _replicas; other++)
        {
            if (other != replica)
            {
                Effects.Retain(previous.Carried[other]);
                version.Carried[other] = previous.Carried[other];
            }
        }

        MoveCarried(slice, version, replica);
        slice.AppliedSteps[replica] = step;
        version.Step = slice.AppliedByAll;
        slice.Push(version);
        slice.DropBefore(long.MaxValue, Effects);
        slice.Unanswered[replica] = true;
        AnswerWithinBound(slice);
    }

    /// <summary>
    /// A replica gets the weights for its next step once that step is within the bound of the slowest replica. At a barrier it gets those that hold
    /// everybody's contributions, for an evaluation may follow.
    /// </summary>
    private void AnswerWithinBound(SliceState slice)
    {
        long slowest = slice.AppliedByAll;
        for (int replica = 0; replica < _replicas; replica++)
        {
            long ahead = slice.AppliedSteps[replica] - slowest;
            long aheadMax = Plan.EndsEpoch(slice.AppliedSteps[replica]) ? 0 : Plan.StalenessStepsMax;
            if (slice.Unanswered[replica] && ahead <= aheadMax)
            {
                slice.Unanswered[replica] = false;
                SendWeights(slice, slice.Newest, replica, slice.AppliedSteps[replica], BufferHandle.None);
            }
        }
    }

    private void MoveCarried(SliceState slice, SliceVersion version, int replica)
    {
        Effects.Release(slice.Gradients[replica]);
        slice.Gradients[replica] = BufferHandle.None;
        version.Carried[replica] = slice.Carried[replica];
        slice.Carried[replica] = BufferHandle.None;
    }

    /// <summary>Once every slice has the next step's version, keeps that fact; the coordinator hears of it when it is kept.</summary>
    private void Prepare()
    {
        long ready = long.MaxValue;
        foreach (SliceState slice in _slices)
        {
            if (slice.Plan.Frozen)
            {
                continue;
            }

            ready = Math.Min(ready, !slice.HasVersion ? 0 : Plan.Asynchronous ? slice.AppliedByAll : slice.Newest.Step);
        }

        while (_prepared < Math.Min(ready, _issued))
        {
            _prepared++;
            Effects.Persist(new PreparedRecord(_prepared, _shard, Epoch));
        }
    }

    private int NonFiniteLayer(long step)
    {
        int first = -1;
        foreach (SliceState slice in _slices)
        {
            if (slice.Plan.Frozen)
            {
                continue;
            }

            int layer = (slice.Find(step) ?? slice.Newest).NonFiniteLayer;
            first = first < 0 || (layer >= 0 && layer < first) ? layer : first;
        }

        return first;
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
            SnapshotJob job = new(slice.Plan.Index, _replicas) { Step = _snapshotStep, Updates = version.Updates };
            job.Inputs[0] = version.Weights;
            job.Inputs[1] = version.OptimizerState;
            version.Carried.CopyTo(job.Inputs, 2);
            slice.AppliedSteps.CopyTo(job.AppliedSteps, 0);
            Run(job);
        }

        AnswerSnapshot();
    }

    /// <summary>Steps begin when everything is contributed, so the first stage has had its weights.</summary>
    private void SettleShares()
    {
        for (int share = 0; share < Plan.Topology.Shares && Plan.Front is not null; share++)
        {
            Settle(Plan.Topology.ShareActor(share));
        }
    }

    /// <summary>Sends what is to be expanded to the first stage, once it is restored.</summary>
    private void SendCoefficients()
    {
        if (_expansion.Step < 0 || _restoring > 0)
        {
            return;
        }

        foreach (SliceState slice in _slices.Where(slice => Plan.CoefficientSlices.Contains(slice.Plan.Index)))
        {
            SliceVersion version = slice.Find(_expansion.Step)
                ?? throw new InvariantException("The version of a committed step is there until the next commit.");
            for (int share = 0; share < Plan.Topology.Shares; share++)
            {
                Send(
                    Plan.Topology.ShareActor(share),
                    new Coefficients(_expansion.Step, slice.Plan.Index, version.Weights, version.OptimizerState));
            }
        }
    }

    private void AssembleIfReady()
    {
        if (!_expansion.IsComplete || !StateOf(Plan.ExpandedSlice).HasVersion)
        {
            return;
        }

        AssembleJob job = _expansion.Assemble();
        if (Plan.Topology.Shares > 1)
        {
            Run(job);
            return;
        }

        // A single share's columns are the whole.
        foreach (BufferHandle columns in job.Inputs)
        {
            Effects.Retain(columns);
        }

        OnAssembled(StateOf(Plan.ExpandedSlice), job.Inputs);
    }

    private void OnAssembled(SliceState slice, BufferHandle[] whole)
    {
        SliceVersion version = slice.NewVersion();
        (version.Step, version.Updates) = (_expansion.SharesStep, slice.Newest.Updates);
        (version.Weights, version.OptimizerState) = (whole[0], whole[1]);
        slice.DropAll(Effects);
        slice.Push(version);
        Send(ActorId.Coordinator, new Expanded(version.Step));
        _expansion.ForgetShares(Effects);
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
        Array.Find(_slices, state => state.Plan.Index == slice) ?? throw new InvariantException($"Slice {slice} lives on shard {_shard}.");
}
