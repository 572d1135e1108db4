using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Actors;

/// <content>How contributions become versions, and when replicas hear of them.</content>
public sealed partial class ParameterShard
{
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

        if (Plan.NeedsDecision && DecisionOn(step) is null)
        {
            AskPartials(slice, step);
        }
        else if (step - _committed <= _aheadMax)
        {
            if (Array.TrueForAll(slice.Gradients, gradient => gradient.IsNone))
            {
                PassOn(slice, step);
            }
            else
            {
                ApplyAll(slice, step);
            }
        }
    }

    private void AskPartials(SliceState slice, long step)
    {
        if (slice.PartialsAsked || !IsPrimary)
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

    /// <summary>A step that does not update the slice: the same weights under the next number.</summary>
    private void PassOn(SliceState slice, long step)
    {
        SliceVersion previous = slice.Newest, version = slice.NewVersion();
        (version.Updates, version.NonFiniteLayer) = (previous.Updates, previous.NonFiniteLayer);
        (version.Weights, version.OptimizerState) = (previous.Weights, previous.OptimizerState);
        Effects.Retain(version.Weights);
        Effects.Retain(version.OptimizerState);
        slice.PartialsAsked = false;
        NoteUpdate(slice, null, step, replica: -1);
        OnAppliedAll(slice, version, previous, step, changed: false);
        Prepare();
        Advance(slice);
    }

    private void ApplyAll(SliceState slice, long step)
    {
        ApplyJob job = slice.Jobs.Apply;
        slice.Gradients.CopyTo(job.Inputs, 2);
        (job.GradientScale, job.ChosenReplica) = DecisionOn(step) is { } decision ? (decision.GradientScale, decision.ChosenReplica) : (1, -1);
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
        NoteUpdate(slice, job, job.Step, Plan.Asynchronous ? slice.ApplyingReplica : -1);
        if (Plan.Asynchronous)
        {
            OnAppliedOne(slice, version, previous, slice.ApplyingReplica, job.Step);
        }
        else
        {
            OnAppliedAll(slice, version, previous, job.Step, changed: true);
        }

        Prepare();
        Advance(slice);
    }

    private void OnAppliedAll(SliceState slice, SliceVersion version, SliceVersion previous, long step, bool changed)
    {
        version.Step = step;
        slice.Push(version);
        slice.Arrivals.Clear();
        for (int replica = 0; replica < _replicas; replica++)
        {
            MoveCarried(slice, version, previous, replica);
            slice.AppliedSteps[replica] = step;
            if (IsPrimary)
            {
                SendWeights(slice, changed ? version.Weights : BufferHandle.None, replica, step, BufferHandle.None);
            }
        }

        TakeBacklog(slice);
    }

    private void OnAppliedOne(SliceState slice, SliceVersion version, SliceVersion previous, int replica, long step)
    {
        _stalenessSteps = Math.Max(_stalenessSteps, step - 1 - slice.AppliedByAll);
        InvariantException.Require(
            step - 1 - slice.AppliedByAll <= Plan.StalenessStepsMax, "No replica is further ahead than the staleness bound.");
        for (int other = 0; other < _replicas; other++)
        {
            if (other != replica && Plan.CarriesResidual)
            {
                Effects.Retain(previous.Carried[other]);
                version.Carried[other] = previous.Carried[other];
            }
        }

        MoveCarried(slice, version, previous, replica);
        slice.AppliedSteps[replica] = step;
        version.Step = slice.AppliedByAll;
        slice.Push(version);
        slice.DropBefore(long.MaxValue, Effects);
        slice.Unanswered[replica] = true;
        AnswerWithinBound(slice);
    }

    /// <summary>
    /// A replica gets the weights for its next step once that step is within the bound of the slowest replica. At a barrier
    /// it gets those that hold
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
                SendWeights(slice, slice.Newest.Weights, replica, slice.AppliedSteps[replica], BufferHandle.None);
            }
        }
    }

    /// <summary>Once every slice has the next step's version, keeps that fact; the coordinator hears of it when it is
    /// kept.</summary>
    private void Prepare()
    {
        // Versions only grow within an epoch, so a slice that has the next one is not asked again: a step looks at each slice once.
        while (_prepared < _issued)
        {
            while (_readySlices < _slices.Length && ReadyThrough(_slices[_readySlices]) > _prepared)
            {
                _readySlices++;
            }

            if (_readySlices < _slices.Length || !HasResults(_prepared + 1))
            {
                return;
            }

            _readySlices = 0;
            _prepared++;
            PersistPrepared();
        }
    }

    /// <summary>Where a log is kept, holds on to what made a version until a record tells of it.</summary>
    private void NoteUpdate(SliceState slice, ApplyJob? job, long step, int replica)
    {
        if (!Plan.KeepsLog)
        {
            return;
        }

        AppliedUpdate update = new(slice.Plan.Index, replica < 0 ? _replicas : 1, slice.Carried.Length)
        {
            Step = step,
            Replica = replica,
            Update = job?.Update ?? 0,
            LearningRate = job?.LearningRate ?? 0,
            GradientScale = job?.GradientScale ?? 1,
            ChosenReplica = job?.ChosenReplica ?? -1,
        };
        for (int i = 0; i < update.Gradients.Length; i++)
        {
            update.Gradients[i] = slice.Gradients[replica < 0 ? i : replica];
            Effects.Retain(update.Gradients[i]);
        }

        int first = Math.Max(0, replica) * slice.Plan.CarriedCount, count = replica < 0 ? slice.Carried.Length : slice.Plan.CarriedCount;
        for (int position = first; position < first + count; position++)
        {
            update.Carried[position] = slice.Carried[position];
            Effects.Retain(update.Carried[position]);
        }

        slice.Unlogged.Enqueue(update);
    }

    private void PersistPrepared()
    {
        if (!Plan.KeepsLog)
        {
            Effects.Persist(new PreparedRecord(_prepared, _shard, Epoch));
            return;
        }

        List<AppliedUpdate> updates = [];
        foreach (SliceState slice in _slices)
        {
            // An asynchronous version holds whatever came before it, whichever step it was for.
            while (slice.Unlogged.TryPeek(out AppliedUpdate? update) && (Plan.Asynchronous || update.Step <= _prepared))
            {
                updates.Add(slice.Unlogged.Dequeue());
            }
        }

        Effects.Persist(new PreparedRecord(_prepared, _shard, Epoch) { Updates = updates });
        foreach (AppliedUpdate update in updates)
        {
            update.Release(Effects);
        }
    }

    /// <summary>The last step that a slice is ready for.</summary>
    private long ReadyThrough(SliceState slice) =>
        // A frozen slice takes part in no step, but until it is restored a snapshot of the shard has to wait, and commits with it.
        !slice.HasVersion ? 0
        : slice.Plan.Frozen ? long.MaxValue
        : Plan.Asynchronous ? slice.AppliedByAll
        : slice.Newest.Step;

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
}
