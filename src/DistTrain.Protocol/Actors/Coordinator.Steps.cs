using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <content>Steps and epochs: issue, decide, commit, evaluate, keep.</content>
public sealed partial class Coordinator
{
    private void IssueMore()
    {
        long last = Math.Min(Plan.TotalSteps, _progress.Step + Plan.StepsUncommittedMax);
        while (_issued < last && Plan.EpochOf(_issued + 1) == Plan.EpochOf(_progress.Step + 1) && EverybodyHasRoom())
        {
            _issued++;
            TallyOf(_issued).Begin(_issued, View.Count);
            IssueStep issue = new(_issued, _progress.RateFactor, Plan.EndsEpoch(_issued));
            ForEachParticipant(issue);
            ForEachShard(issue);
        }
    }

    /// <summary>Most layer actors answer with bare acknowledgements only: where these do not come, steps wait.</summary>
    private bool EverybodyHasRoom()
    {
        for (int index = 1; index < Plan.Topology.Count; index++)
        {
            if (Plan.IsParticipant(new ActorId(index)) && View.Includes(new ActorId(index)) && !HasRoomTo(new ActorId(index)))
            {
                _issueWaits = true;
                return false;
            }
        }

        return true;
    }

    private void OnPartials(StepTally tally, Partials partials)
    {
        tally.OnPartials(partials.Slice, partials.Values);
        if (!tally.HasAllPartials)
        {
            return;
        }

        InvariantException.Require(_decidingStep == 0, "A step is decided before the next one's partials are asked for.");
        _decidingStep = tally.Step;
        _decide.Step = tally.Step;
        tally.Partials.CopyTo(_decide.Inputs, 0);
        Run(_decide);
    }

    private void TryCommit()
    {
        if (_membership.IsChanging)
        {
            // Its record would stand behind that of an epoch which goes on from the step before: the order of the records has to say what is committed.
            return;
        }

        StepTally tally = TallyOf(_progress.Step + 1);
        if (tally.Step != _progress.Step + 1 || !tally.IsComplete || tally.IsCommitting || _phase != Phase.Training)
        {
            return;
        }

        if (!double.IsFinite(tally.LossSum) || tally.NonFiniteUpdateLayer >= 0)
        {
            BeginEnd(RunEnd.Diverged, DescribeDivergence(tally));
            Advance();
            return;
        }

        tally.IsCommitting = true;
        CoordinatorProgress after = _progress.AfterStep(tally.Step, tally.LossSum, tally.Correct, tally.Rows);
        Effects.Persist(new CommittedRecord(tally.Step, Epoch, after));
    }

    private void OnCommitted(StepTally tally, CoordinatorProgress progress)
    {
        long step = tally.Step;
        _progress = progress;
        Effects.Report(
            new StepCommitted(step, tally.LossSum, tally.Correct, tally.Rows, Plan.LearningRate(step) * _progress.RateFactor));
        TellProgress();
        ForEachShard(new Committed(step));
        tally.Free(Effects);
        if (Plan.EndsEpoch(step))
        {
            OnEpochEnd(step);
            return;
        }

        CheckpointIfDue();
        Advance();
        TryCommit();
    }

    private void OnEpochEnd(long step)
    {
        int epoch = Plan.EpochOf(step);
        bool due = epoch % Plan.Settings.Training.EvaluateEvery == 0 || step == Plan.TotalSteps;
        if (Plan.TestRows > 0 && due)
        {
            StartEvaluation(DataSplit.Test, Phase.EvaluatingEpoch);
        }
        else
        {
            FinishEpoch(null, null);
        }
    }

    private void FinishEpoch(double? testLoss, double? testAccuracy)
    {
        double trainLoss = _progress.EpochLossSum / _progress.EpochRows;
        double trainAccuracy = (double)_progress.EpochCorrect / _progress.EpochRows;
        Effects.Report(
            new EpochCompleted(Plan.EpochOf(_progress.Step), _progress.Step, trainLoss, trainAccuracy, testLoss, testAccuracy));
        bool isWatched = Plan.TestRows == 0 || testLoss is not null;
        _progress = isWatched ? _progress.AfterEpoch(testLoss ?? trainLoss, Plan.Settings.Optimizer) : _progress.AfterEpochUnwatched();
        TellProgress();
        _phase = Phase.Training;
        if (_progress.Step == Plan.TotalSteps || _progress.IsOutOfPatience(Plan.Settings.Training))
        {
            StartEvaluation(DataSplit.Train, Phase.EvaluatingEnd);
            return;
        }

        CheckpointIfDue();
        Advance();
    }

    private void StartEvaluation(DataSplit split, Phase phase)
    {
        _phase = phase;
        ForEachParticipant(_evaluation.Begin(_progress.Step, split));
    }

    private void OnEvaluated()
    {
        Effects.Report(new EvaluationCompleted(_progress.Step, _evaluation.Split, _evaluation.Loss, _evaluation.Accuracy));
        if (_phase == Phase.EvaluatingEpoch)
        {
            FinishEpoch(_evaluation.Loss, _evaluation.Accuracy);
        }
        else if (_evaluation.Split == DataSplit.Test)
        {
            StartEvaluation(DataSplit.Train, _phase);
        }
        else
        {
            BeginEnd(RunEnd.Completed, "");
            Advance();
        }
    }

    private string DescribeDivergence(StepTally tally)
    {
        string what;
        int layer;
        if (double.IsFinite(tally.LossSum))
        {
            (what, layer) = ("the update of step", tally.NonFiniteUpdateLayer);
        }
        else
        {
            (what, layer) = ("the loss of step", tally.NonFiniteLayer >= 0 ? tally.NonFiniteLayer : Plan.Settings.Network.Layers.Count - 1);
        }

        double rate = Plan.LearningRate(tally.Step) * _progress.RateFactor;
        return $"{what} {tally.Step} is not finite; layer {layer} ({Plan.Settings.Network.Layers[layer].Kind}) was the first "
            + $"with values that are not finite. Try a lower optimizer.learning-rate (it was {rate:G4}), optimizer.clip-norm, "
            + "or inputs of smaller scale (data.standardize)";
    }

    private StepTally TallyOf(long step) => _tallies[step & (_tallies.Length - 1)];

    private void CheckpointIfDue()
    {
        int every = Plan.Settings.CheckpointEverySteps;
        bool isDue = (every > 0 && _progress.Step % every == 0) || (Plan.Settings.CheckpointEachEpoch && Plan.EndsEpoch(_progress.Step));
        if (isDue && _snapshotPending is null)
        {
            TakeSnapshot();
        }
    }

    private void TakeSnapshot()
    {
        if (_snapshotPending is null)
        {
            _snapshotPending = _progress;
            Array.Clear(_snapshotBy);
            ForEachShard(new TakeSnapshot(_progress.Step));
        }
    }

    private bool IsSnapshotTaken()
    {
        for (int shard = 0; shard < Plan.Topology.Shards; shard++)
        {
            foreach (ActorId copy in View.Of(shard))
            {
                if (!_snapshotBy[Plan.Topology.PositionOf(copy)])
                {
                    return false;
                }
            }
        }

        return true;
    }

    private void BeginEnd(RunEnd end, string reason)
    {
        (_phase, _end, _reason) = (Phase.Ending, end, reason);
        if (Plan.Front is not null)
        {
            _phase = Phase.Expanding;
            BeginExpanding();
        }
    }
}
