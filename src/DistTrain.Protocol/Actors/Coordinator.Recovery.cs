using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <content>Losses and epochs.</content>
public sealed partial class Coordinator
{
    private void OnSuspected(ActorId actor)
    {
        if (_phase == Phase.Inquiring)
        {
            _inquiry.Lose(actor);
            Settle(actor);
            ConcludeIfComplete();
            return;
        }

        // Until the first epoch begins, nobody knows what it will need of whom.
        bool needed = Plan.IsParticipant(actor) || _phase is Phase.Contributing or Phase.Expanding || _membership.IsChanging || !_membership.HasBegun;
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

    /// <summary>A lost copy of a shard is there again: the run drains, and goes on in an epoch that brings the copy up to date.</summary>
    private void OnJoined(ActorId actor, int incarnation)
    {
        if (_membership.OnStarted(actor, incarnation))
        {
            AdvanceIfTraining();
        }
    }

    /// <summary>An actor is to live elsewhere: the run drains, and goes on from there in an epoch in which it is another.</summary>
    private void OnMoving(ActorId actor)
    {
        _membership.Move(actor);
        AdvanceIfTraining();
    }

    private bool ChangesMembers => _membership.HasWaiting || _membership.HasMovable;

    private void AdvanceIfTraining()
    {
        if (_phase == Phase.Training && _membership.HasBegun && !_membership.IsChanging)
        {
            Advance();
        }
    }

    /// <summary>Between two steps: whoever waits enters, and whoever moves is started elsewhere, once what it alone holds is kept outside.</summary>
    private void ChangeMembers()
    {
        if (_membership.MovesState && _snapshot != _progress)
        {
            TakeSnapshot();
            return;
        }

        Effects.Persist(_membership.ReplaceLost(Epoch + 1, stateIsKept: true));
    }

    /// <summary>The members of a new epoch are kept: starts those that are new and has everybody go on from the last state
    /// that is there.</summary>
    private void BeginEpoch(MembershipRecord membership)
    {
        _membership.Begun();
        bool shardLost = _membership.LosesShard(Incarnations, membership);
        if (shardLost && Plan.KeepsLog)
        {
            // The shard comes back as it was at the last committed step; of the weights expanded since, nothing does.
            _phase = Plan.Front is not null && _phase == Phase.Ending ? Phase.Expanding : _phase;
        }
        else if (shardLost)
        {
            if (_snapshot is null)
            {
                Fail("every copy of a parameter server was lost, and what was kept of the last snapshot was lost with the coordinator before");
                return;
            }

            // A shard's memory is gone with it: everybody goes back to what was kept outside.
            _progress = _snapshot;
            // Only an end that was asked for may come at an earlier step; a run that had completed is completed again, and one that diverged diverges again.
            bool ends = _phase is Phase.Ending or Phase.Expanding && _end == RunEnd.Stopped;
            _phase = !ends ? Phase.Training : Plan.Front is null ? Phase.Ending : Phase.Expanding;
        }

        long redone = _issued - _progress.Step;
        int[] before = Incarnations;
        ReleaseState();
        EnterEpoch(membership.Epoch, membership.Incarnations, membership.Copies.Length == 0 ? Plan.EveryShard : new ShardView(Plan.Topology, membership.Copies));
        _issued = _drained = _progress.Step;
        _snapshotPending = null;
        _keepsAgain = false;
        _decidingStep = 0;
        _decide = new DecideJob(Plan.TrainedSlices);
        _contributed = false;
        SetAlone(false);
        _membership.SpawnChanged(before, membership, Effects);
        CommitUnheard();
        BeginEpoch begin = new(_progress.Step, membership.Incarnations, membership.Copies);
        for (int index = 1; index < Plan.Topology.Count; index++)
        {
            if (View.Includes(new ActorId(index)))
            {
                Send(new ActorId(index), begin);
            }
        }

        TellProgress();

        if (Epoch > _epochBefore + 1)
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
        else if (_phase == Phase.Training && Plan.EndsEpoch(_progress.Step) && _progress.EpochRows > 0)
        {
            // The last thing kept was the commit of an epoch's last step: what follows that is still to be done.
            OnEpochEnd(_progress.Step);
        }
        else if (_phase == Phase.Training && (_progress.Step >= Plan.TotalSteps || _progress.IsOutOfPatience(Plan.Settings.Training)))
        {
            // Nothing is left to train. What was said of the test rows is no part of the progress.
            StartEvaluation(Plan.TestRows > 0 ? DataSplit.Test : DataSplit.Train, Phase.EvaluatingEnd);
        }
        else
        {
            Advance();
        }
    }
}
