using System.Numerics;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// Issues steps, commits them, has them evaluated and kept, and decides recovery. A step is committed by one record of the
/// coordinator and nothing
/// else, once every shard is prepared and every replica's loss is known and finite.
/// </summary>
public sealed partial class Coordinator : ActorMachine
{
    private readonly StepTally[] _tallies;
    private readonly EvaluationRound _evaluation;
    private readonly bool[] _snapshotBy;
    private readonly Membership _membership;
    private DecideJob _decide;
    private CoordinatorProgress _progress;
    private CoordinatorProgress? _snapshot, _snapshotPending;
    private Phase _phase = Phase.Training, _afterContributing;
    private RunEnd _end = RunEnd.Completed;
    private string _reason = "";
    private long _issued, _drained, _keptStep, _decidingStep;
    private readonly int _epochBefore;
    private readonly MembershipRecord? _before;
    private readonly CoordinatorProgress? _start;
    private readonly Inquiry _inquiry;
    private int _layersExpanded;
    private bool _keepsAgain, _stopRequested, _issueWaits, _contributed, _alone;

    /// <summary>The coordinator, going on from a committed step of which a snapshot exists, or from step 0.</summary>
    /// <param name="plan">The run's plan.</param>
    /// <param name="incarnation">From 1; above that of the coordinator before.</param>
    /// <param name="run">Identity of the run.</param>
    /// <param name="from">What the last snapshot's record holds.</param>
    /// <param name="before">
    /// The last membership that the coordinator before had kept, null for a new run. Its epoch is left for a higher one, and every actor gets an incarnation that
    /// nobody can have been started with: what the coordinator before knew beyond its records, who lives and what is shown already, is lost with it.
    /// </param>
    public Coordinator(RunPlan plan, int incarnation, long run, CoordinatorProgress from, MembershipRecord? before = null)
        : base(plan, ActorId.Coordinator, incarnation, run)
    {
        Epoch = _epochBefore = before?.Epoch ?? 0;
        Topology topology = plan.Topology;
        _progress = _snapshot = from;
        _issued = from.Step;
        _keptStep = from.Step > 0 ? from.Step : -1;
        // A power of two, so that a step's place needs no division.
        _tallies = new StepTally[(int)BitOperations.RoundUpToPowerOf2((uint)plan.StepsUncommittedMax + 1)];
        for (int tally = 0; tally < _tallies.Length; tally++)
        {
            _tallies[tally] = new StepTally(topology.ShardActors, topology.Replicas, plan.TrainedSlices);
        }

        _evaluation = new EvaluationRound(topology.Replicas);
        _decide = new DecideJob(plan.TrainedSlices);
        _snapshotBy = new bool[topology.ShardActors];
        _membership = new Membership(topology, before, plan.KeepsLog);
        _before = before;
        _inquiry = new Inquiry(plan);
    }

    /// <summary>
    /// A coordinator that takes over where shards have several copies: it asks who lives and goes on from what they hold, for the records of the one before may be
    /// lost with its node, and are behind where they are not.
    /// </summary>
    /// <param name="plan">The run's plan.</param>
    /// <param name="incarnation">Above that of every coordinator before.</param>
    /// <param name="run">Identity of the run.</param>
    /// <param name="start">What the run began with.</param>
    /// <param name="kept">What is still kept of the coordinator before, should every copy of a shard be lost; null for nothing.</param>
    /// <param name="before">The last membership that is still kept, or the one that the run began with.</param>
    public Coordinator(RunPlan plan, int incarnation, long run, CoordinatorProgress start, CoordinatorProgress? kept, MembershipRecord? before)
        : this(plan, incarnation, run, kept ?? start, before)
    {
        InvariantException.Require(plan.Topology.Copies > 1, "Only copies of shards can tell a new coordinator what is committed.");
        _phase = Phase.Inquiring;
        _start = start;
        _snapshot = kept;
        _keptStep = -1;
        Epoch = _epochBefore = (incarnation - 1) * Limits.EpochsPerCoordinator;
    }

    private enum Phase
    {
        /// <summary>A new coordinator asks what there is.</summary>
        Inquiring,

        /// <summary>Front contribution: the rows are contributed to the final-layer actor.</summary>
        Contributing,

        /// <summary>Steps are issued and committed.</summary>
        Training,

        /// <summary>The test rows are evaluated at the end of an epoch.</summary>
        EvaluatingEpoch,

        /// <summary>The training rows are evaluated at the end of the run.</summary>
        EvaluatingEnd,

        /// <summary>Front contribution: the weights of every collapsed layer are formed.</summary>
        Expanding,

        /// <summary>The last snapshot is taken.</summary>
        Ending,

        /// <summary>Over.</summary>
        Ended,
    }

    /// <inheritdoc/>
    public override string WaitsFor => _phase switch
    {
        Phase.Training when _issued > _progress.Step => $"the commit of step {_progress.Step + 1}",
        Phase.EvaluatingEpoch or Phase.EvaluatingEnd => $"the evaluation after step {_progress.Step}",
        Phase.Inquiring => "an answer of everybody who lives",
        Phase.Contributing => "the contributions of the rows",
        Phase.Expanding => $"the expanded weights after step {_progress.Step}",
        Phase.Ending => $"the snapshot of step {_progress.Step}",
        _ => "",
    };

    private protected override void OnOther(in Stimulus stimulus)
    {
        switch (stimulus.Kind)
        {
            case StimulusKind.Started when _phase == Phase.Inquiring:
                Inquire();
                break;
            case StimulusKind.Started:
                Effects.Persist(_membership.StartAll(Epoch + 1, Incarnation));
                break;
            case StimulusKind.Suspected when _phase != Phase.Ended && stimulus.Actor != Self && (_membership.HasStarted || _phase == Phase.Inquiring):
                OnSuspected(stimulus.Actor);
                break;
            case StimulusKind.Joined:
                OnJoined(stimulus.Actor, stimulus.Incarnation);
                break;
            case StimulusKind.Moving when stimulus.Actor != Self && _phase != Phase.Inquiring:
                OnMoving(stimulus.Actor);
                break;
            case StimulusKind.StopRequested when !_stopRequested:
                _stopRequested = true;
                if (_phase == Phase.Training && _membership.HasBegun)
                {
                    Advance();
                }

                break;
        }
    }

    private protected override void OnMessage(ActorId from, Message message)
    {
        if (_phase == Phase.Inquiring)
        {
            _inquiry.Take(from, Incarnations[from.Index], message);
            ConcludeIfComplete();
            return;
        }

        if (!_membership.HasBegun)
        {
            // The rest of what was asked for.
            return;
        }

        switch (message)
        {
            case Prepared prepared:
                if (_membership.OnPrepared(from, Incarnations[from.Index]) && _membership.IsChanging)
                {
                    // An epoch is decided for which this copy counted as empty. If it is the last one, only this keeps what is committed.
                    Effects.Persist(_membership.Decide(Epoch + 1));
                }

                TallyOf(prepared.Step).OnPrepared(Plan.Topology.PositionOf(from), prepared);
                TryCommit();
                break;
            case StepResult result:
                TallyOf(result.Step).OnResult(result);
                TryCommit();
                break;
            case Partials partials:
                Effects.Retain(partials.Values);
                OnPartials(TallyOf(partials.Step), partials);
                break;
            case SnapshotTaken taken when taken.Step == _snapshotPending?.Step && !_membership.IsChanging:
                _snapshotBy[Plan.Topology.PositionOf(from)] = true;
                if (IsSnapshotTaken())
                {
                    Effects.Persist(new SnapshotRecord(_snapshotPending));
                }

                break;
            case Contributed:
                _contributed = true;
                TrainAloneIfReady();
                break;
            case Expanded expanded when _phase == Phase.Expanding && expanded.Step == _progress.Step:
                _layersExpanded++;
                EndIfExpanded();
                break;
            case EvaluationResult result when _evaluation.Take(result):
                OnEvaluated();
                break;
        }
    }

    private protected override void OnJobDone(Job job)
    {
        ForEachShard(new Decision(_decidingStep, _decide.GradientScale, _decide.ChosenReplica));
        _decidingStep = 0;
    }

    private protected override void OnPersisted(PersistRecord record)
    {
        switch (record)
        {
            case MembershipRecord membership when _membership.IsWanted(membership):
                BeginEpoch(membership);
                break;
            case CommittedRecord committed when committed.Epoch == Epoch && committed.Step > _progress.Step:
                OnCommitted(TallyOf(committed.Step), committed.Progress);
                break;
            case SnapshotRecord kept when kept.Progress == _snapshotPending:
                _snapshot = kept.Progress;
                _keptStep = _keepsAgain ? -1 : _snapshot.Step;
                _keepsAgain = false;
                _snapshotPending = null;
                Effects.Report(new SnapshotCompleted(_snapshot.Step));
                Advance();
                break;
        }
    }

    private protected override void OnEpoch(long committedStep) =>
        throw new InvariantException("The coordinator begins epochs itself.");

    private protected override void OnAcknowledged()
    {
        TrainAloneIfReady();
        if (_issueWaits)
        {
            _issueWaits = false;
            Advance();
        }
    }

    private protected override void ReleaseState()
    {
        foreach (StepTally tally in _tallies)
        {
            tally.Free(Effects);
        }
    }

    /// <summary>Does what is due now: issue, stop, or end.</summary>
    private void Advance()
    {
        if (_phase == Phase.Training)
        {
            if (!_stopRequested && !ChangesMembers)
            {
                IssueMore();
            }
            else if (_issued > _progress.Step)
            {
                Drain();
            }
            else if (_stopRequested)
            {
                BeginEnd(RunEnd.Stopped, "");
            }
            else if (!_membership.IsChanging)
            {
                ChangeMembers();
            }
        }

        if (_phase == Phase.Ending)
        {
            if (_keptStep == _progress.Step)
            {
                _phase = Phase.Ended;
                Effects.Report(new RunEnded(_end, _progress.Step, _reason));
            }
            else
            {
                TakeSnapshot();
            }
        }
    }

    /// <summary>Tells those who keep steps back until more are issued that none is for now: whatever the reason, and once.</summary>
    private void Drain()
    {
        if (_drained != _issued)
        {
            _drained = _issued;
            ForEachParticipant(new Drain(_issued));
        }
    }

    private void ForEachParticipant(Message message)
    {
        for (int index = 0; index < Plan.Participants.Count; index++)
        {
            Send(Plan.Participants[index], message);
        }
    }

    /// <summary>To every copy that takes part.</summary>
    private void ForEachShard(Message message)
    {
        for (int shard = 0; shard < Plan.Topology.Shards; shard++)
        {
            SendToShard(shard, message);
        }
    }
}
