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
    private CoordinatorProgress _progress, _snapshot;
    private CoordinatorProgress? _snapshotPending;
    private Phase _phase = Phase.Training, _afterContributing;
    private RunEnd _end = RunEnd.Completed;
    private string _reason = "";
    private long _issued, _keptStep, _decidingStep;
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
        Epoch = before?.Epoch ?? 0;
        Topology topology = plan.Topology;
        _progress = _snapshot = from;
        _issued = from.Step;
        _keptStep = from.Step > 0 ? from.Step : -1;
        _tallies = new StepTally[plan.StepsUncommittedMax + 1];
        for (int tally = 0; tally < _tallies.Length; tally++)
        {
            _tallies[tally] = new StepTally(topology.Shards, topology.Replicas, plan.TrainedSlices);
        }

        _evaluation = new EvaluationRound(topology.Replicas);
        _decide = new DecideJob(plan.TrainedSlices);
        _snapshotBy = new bool[topology.Shards];
        _membership = new Membership(topology, before);
    }

    private enum Phase
    {
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
        Phase.Contributing => "the contributions of the rows",
        Phase.Expanding => $"the expanded weights after step {_progress.Step}",
        Phase.Ending => $"the snapshot of step {_progress.Step}",
        _ => "",
    };

    private protected override void OnOther(in Stimulus stimulus)
    {
        switch (stimulus.Kind)
        {
            case StimulusKind.Started:
                Effects.Persist(_membership.StartAll(Epoch + 1, Incarnation));
                break;
            case StimulusKind.Suspected when _phase != Phase.Ended && stimulus.Actor != Self && _membership.HasStarted:
                OnSuspected(stimulus.Actor);
                break;
            case StimulusKind.StopRequested when !_stopRequested:
                _stopRequested = true;
                if (_phase == Phase.Training && _membership.HasBegun)
                {
                    ForEachParticipant(new Drain(_issued));
                    Advance();
                }

                break;
        }
    }

    private protected override void OnMessage(ActorId from, Message message)
    {
        switch (message)
        {
            case Prepared prepared:
                TallyOf(prepared.Step).OnPrepared(prepared);
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
                _snapshotBy[taken.Shard] = true;
                if (Array.TrueForAll(_snapshotBy, kept => kept))
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
            case CommittedRecord committed when committed.Epoch == Epoch:
                OnCommitted(TallyOf(committed.Step));
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

    private void OnSuspected(ActorId actor)
    {
        bool needed = Plan.IsParticipant(actor) || _phase is Phase.Contributing or Phase.Expanding || _membership.IsChanging;
        if (!needed)
        {
            _membership.RecordLoss(actor);
            return;
        }

        if (!_membership.TryReplace(actor, Epoch + 1, out MembershipRecord? record))
        {
            Fail($"{Plan.Topology.NameOf(actor)} failed {Limits.RestartsPerActorMax} times, so its fault is not passing");
            return;
        }

        Effects.Persist(record);
    }

    /// <summary>The members of a new epoch are kept: starts those that are new and has everybody go on from the last state
    /// that is there.</summary>
    private void BeginEpoch(MembershipRecord membership)
    {
        _membership.Begun();
        bool shardLost = _membership.LosesShard(Incarnations, membership);
        if (shardLost)
        {
            // A shard's memory is gone with it: everybody goes back to what was kept outside.
            _progress = _snapshot;
            // Only an end that was asked for, or forced, may come at an earlier step; a run that had completed is completed
            // again.
            bool ends = _phase is Phase.Ending or Phase.Expanding && _end != RunEnd.Completed;
            _phase = !ends ? Phase.Training : Plan.Front is null ? Phase.Ending : Phase.Expanding;
        }

        long redone = _issued - _progress.Step;
        int[] before = Incarnations;
        ReleaseState();
        EnterEpoch(membership.Epoch, membership.Incarnations);
        _issued = _progress.Step;
        _snapshotPending = null;
        _keepsAgain = false;
        _decidingStep = 0;
        _decide = new DecideJob(Plan.TrainedSlices);
        _contributed = false;
        SetAlone(false);
        _membership.SpawnChanged(before, membership, Effects);
        BeginEpoch begin = new(_progress.Step, membership.Incarnations);
        for (int index = 1; index < Plan.Topology.Count; index++)
        {
            Send(new ActorId(index), begin);
        }

        if (Epoch > 1)
        {
            Effects.Report(new Recovered(Epoch, _progress.Step, redone));
        }

        if (Plan.Front is not null && _phase is not (Phase.Expanding or Phase.Ending))
        {
            // Whoever trained alone may be gone, and what was contributed with it.
            _afterContributing = _phase == Phase.Contributing ? _afterContributing : _phase;
            _phase = Phase.Contributing;
            Send(Plan.Participants[0], new CollectContributions(_progress.Step));
            return;
        }

        Resume();
    }

    /// <summary>Goes on once everything is contributed and no other layer actor owes an acknowledgement: from then on there
    /// is not even one of those.</summary>
    private void TrainAloneIfReady()
    {
        if (_phase != Phase.Contributing || !_contributed)
        {
            return;
        }

        for (int index = 1; index <= Plan.Topology.LayerActors; index++)
        {
            if (!Plan.IsParticipant(new ActorId(index)) && IsOwedBy(new ActorId(index)))
            {
                return;
            }
        }

        _phase = _afterContributing;
        SetAlone(true);
        Resume();
    }

    private void SetAlone(bool alone)
    {
        if (alone != _alone)
        {
            _alone = alone;
            Effects.Report(new TrainsAlone(alone));
        }
    }

    private void BeginExpanding()
    {
        SetAlone(false);
        _layersExpanded = 0;
        if (_membership.HasLost)
        {
            Effects.Persist(_membership.ReplaceLost(Epoch + 1));
        }
        else
        {
            ForEachShard(new Expand(_progress.Step));
        }
    }

    private void EndIfExpanded()
    {
        if (_layersExpanded <= Plan.Histories.Count)
        {
            return;
        }

        // A snapshot of this step may exist or be under way: it does not hold the expanded weights.
        _keptStep = -1;
        _keepsAgain = _snapshotPending is not null;
        _phase = Phase.Ending;
        Advance();
    }

    private void Resume()
    {
        if (_phase == Phase.Expanding)
        {
            BeginExpanding();
            return;
        }

        if (_phase is Phase.EvaluatingEpoch or Phase.EvaluatingEnd)
        {
            StartEvaluation(_evaluation.Split, _phase);
        }
        else if (_phase == Phase.Training && (_progress.Step >= Plan.TotalSteps || _progress.IsOutOfPatience(Plan.Settings.Training)))
        {
            StartEvaluation(DataSplit.Train, Phase.EvaluatingEnd);
        }
        else
        {
            Advance();
        }
    }

    /// <summary>Does what is due now: issue, stop, or end.</summary>
    private void Advance()
    {
        if (_phase == Phase.Training)
        {
            if (!_stopRequested)
            {
                IssueMore();
            }
            else if (_issued == _progress.Step)
            {
                BeginEnd(RunEnd.Stopped, "");
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

    private void ForEachParticipant(Message message)
    {
        foreach (ActorId participant in Plan.Participants)
        {
            Send(participant, message);
        }
    }

    private void ForEachShard(Message message)
    {
        for (int shard = 0; shard < Plan.Topology.Shards; shard++)
        {
            Send(Plan.Topology.Shard(shard), message);
        }
    }
}
