using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Checking;

/// <summary>
/// Every contribution counts exactly once, and none is staler than the bound. The checker follows weights from buffer to buffer: through every update, snapshot
/// and restore it knows which contributions are in them.
/// </summary>
internal sealed class ContributionChecker(RunPlan plan, Findings findings) : IHostTap
{
    private const string Once = "once";
    private readonly int _replicas = plan.Settings.Replicas;
    private readonly Dictionary<BufferHandle, Contribution> _contributions = [];
    private readonly Dictionary<BufferHandle, Lineage> _weights = [];
    private readonly Dictionary<(int Slice, long Step), Lineage> _snapshots = [];
    private readonly HashSet<(int Slice, long Step)> _empty = [];
    private readonly Dictionary<(int Slice, ActorId Copy), Lineage> _newest = [];
    private readonly Dictionary<int, SortedList<long, Lineage>> _steps = [];
    private readonly int[] _epochs = new int[plan.Topology.Count];

    /// <summary>Whether everything up to a step is in the newest weights of every slice that is trained, on every copy that counts, of which there must be one.</summary>
    public string? Lacks(long step, Func<ActorId, bool> counts)
    {
        foreach (SlicePlan slice in plan.Slices.Where(slice => IsTrained(slice.Index)))
        {
            ActorId[] copies = [.. Enumerable.Range(0, plan.Topology.Copies).Select(copy => plan.Topology.Shard(slice.Shard, copy)).Where(counts)];
            foreach (ActorId copy in copies)
            {
                Lineage? newest = _newest.GetValueOrDefault((slice.Index, copy));
                if (newest is null || !Covers(slice.Index, newest, step))
                {
                    return $"slice {slice.Index} of {plan.Topology.NameOf(copy)} holds contributions up to [{string.Join(", ", newest?.Applied ?? [])}]";
                }
            }

            if (copies.Length == 0)
            {
                return $"slice {slice.Index} is on no copy that was prepared";
            }
        }

        return null;
    }

    /// <summary>A shard, or a copy of it, is replaced: what it held is no longer anybody's newest.</summary>
    public void OnStarted(ActorId actor, int incarnation)
    {
        for (int slice = 0; slice < plan.Slices.Count; slice++)
        {
            _newest.Remove((slice, actor));
        }
    }

    public void OnDelivered(Envelope envelope)
    {
        if (envelope.Message is BeginEpoch or Inquire)
        {
            _epochs[envelope.To.Index] = Math.Max(_epochs[envelope.To.Index], envelope.Epoch);
        }

        if (envelope.Message is Contribution contribution)
        {
            if (contribution.Gradient.IsNone)
            {
                _empty.Add((contribution.Slice, contribution.Step));
            }
            else
            {
                _contributions[contribution.Gradient] = contribution;
            }
        }
        else if (envelope.Message is SliceCopy { Part: 0 } copy && IsTrained(copy.Slice))
        {
            // The weights of another copy, in buffers of this host: what is in them goes by their step.
            Lineage? sent = Known(copy.Slice, copy.Step);
            if (sent is null)
            {
                findings.Add("committed", $"a copy of slice {copy.Slice} at step {copy.Step} was sent, which nobody has computed");
            }
            else
            {
                // It may come twice, and then what was made of it meanwhile is newer.
                _weights[copy.First] = sent;
                if (_newest.GetValueOrDefault((copy.Slice, envelope.To)) is not { } newest || newest.Slowest < sent.Slowest)
                {
                    _newest[(copy.Slice, envelope.To)] = sent;
                }
            }
        }
    }

    public void OnJob(ActorId actor, Job job)
    {
        switch (job)
        {
            case ApplyJob apply:
                OnApplied(actor, apply);
                break;
            case SliceJob slice when !IsTrained(slice.Slice):
                break;
            case SnapshotJob snapshot when _weights.TryGetValue(snapshot.Inputs[0], out Lineage? kept):
                _snapshots[(snapshot.Slice, snapshot.Step)] = kept;
                findings.Require(
                    Covers(snapshot.Slice, kept, snapshot.Step), "committed",
                    () => $"the snapshot of step {snapshot.Step} holds contributions to slice {snapshot.Slice} up to [{string.Join(", ", kept.Applied)}]");
                break;
            case RestoreJob { Step: 0 } restore:
                Have(actor, restore, restore.Step, Lineage.Initial(_replicas));
                break;
            case RestoreJob restore when plan.KeepsLog && Known(restore.Slice, restore.Step) is { } logged:
                Have(actor, restore, restore.Step, logged);
                break;
            case RestoreJob restore when _snapshots.TryGetValue((restore.Slice, restore.Step), out Lineage? restored):
                Have(actor, restore, restore.Step, restored);
                break;
            case RestoreJob restore:
                findings.Add("committed", $"slice {restore.Slice} was restored to step {restore.Step}, of which no snapshot was kept");
                break;
        }
    }

    /// <summary>What somebody has computed of a slice up to a step; null for nothing.</summary>
    private Lineage? Known(int slice, long step) => _steps.GetValueOrDefault(slice)?.LastOrDefault(known => known.Key <= step).Value;

    private bool IsTrained(int slice) => !plan.Slices[slice].Frozen && !plan.IsExpanded(slice);

    private void OnApplied(ActorId actor, ApplyJob job)
    {
        if (!_weights.TryGetValue(job.Inputs[0], out Lineage? before))
        {
            findings.Add(Once, $"an update of slice {job.Slice} for step {job.Step} began from weights that nobody computed");
            return;
        }

        Lineage after = before;
        for (int input = 2; input < job.Inputs.Length; input++)
        {
            if (!_contributions.TryGetValue(job.Inputs[input], out Contribution? contribution))
            {
                findings.Add(Once, $"an update of slice {job.Slice} for step {job.Step} was made of something that is no contribution");
                return;
            }

            CheckTurn(job, contribution, after);
            after = after.With(contribution.Replica, contribution.Step);
        }

        if (!plan.Asynchronous && after.Applied.Any(step => step != job.Step))
        {
            findings.Add(Once, $"after the update of step {job.Step}, slice {job.Slice} holds contributions up to [{string.Join(", ", after.Applied)}]");
        }

        Have(actor, job, job.Step, after);
    }

    private void CheckTurn(ApplyJob job, Contribution contribution, Lineage before)
    {
        long last = before.Applied[contribution.Replica];
        string what = $"replica {contribution.Replica}'s contribution of step {contribution.Step} to slice {contribution.Slice}";
        findings.Require(contribution.Slice == job.Slice, Once, () => $"{what} was applied to slice {job.Slice}");
        findings.Require(
            contribution.Step > last, Once, () => $"{what} was applied again: contributions up to step {last} were applied already");
        for (long skipped = last + 1; skipped < contribution.Step; skipped++)
        {
            findings.Require(_empty.Contains((job.Slice, skipped)), Once, () => $"{what} was applied, and that of step {skipped} is lost");
        }

        long stale = contribution.Step - 1 - before.Slowest;
        findings.Require(
            !plan.Asynchronous || stale <= plan.StalenessStepsMax, "staleness",
            () => $"{what} was applied {stale} steps ahead of the slowest replica; the bound is {plan.StalenessStepsMax}");
    }

    private void Have(ActorId actor, SliceJob job, long step, Lineage lineage)
    {
        _weights[job.Outputs[0]] = lineage;
        if (job.Epoch < _epochs[actor.Index])
        {
            // It took so long that its actor has entered another epoch, and gives back what comes of it.
            return;
        }

        _newest[(job.Slice, actor)] = lineage;
        if (!_steps.TryGetValue(job.Slice, out SortedList<long, Lineage>? steps))
        {
            _steps.Add(job.Slice, steps = []);
        }

        steps[step] = lineage;
    }

    private bool Covers(int slice, Lineage lineage, long step) => lineage.Applied.All(applied =>
    {
        while (applied < step && _empty.Contains((slice, applied + 1)))
        {
            applied++;
        }

        return applied >= step;
    });
}
