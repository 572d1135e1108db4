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
    private readonly Dictionary<int, Lineage> _newest = [];

    /// <summary>Whether everything up to a step is in the newest weights of every slice that is trained.</summary>
    public string? Lacks(long step)
    {
        foreach (SlicePlan slice in plan.Slices.Where(slice => IsTrained(slice.Index)))
        {
            Lineage? newest = _newest.GetValueOrDefault(slice.Index);
            if (newest is null || !Covers(slice.Index, newest, step))
            {
                return $"slice {slice.Index} holds contributions up to [{string.Join(", ", newest?.Applied ?? [])}]";
            }
        }

        return null;
    }

    /// <summary>A shard is replaced: what it held is no longer anybody's newest.</summary>
    public void OnReplaced(int shard)
    {
        foreach (SlicePlan slice in plan.Slices.Where(slice => slice.Shard == shard))
        {
            _newest.Remove(slice.Index);
        }
    }

    public void OnDelivered(in Envelope envelope)
    {
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
    }

    public void OnJob(ActorId actor, Job job)
    {
        switch (job)
        {
            case ApplyJob apply:
                OnApplied(apply);
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
                Have(restore.Slice, restore.Outputs[0], Lineage.Initial(_replicas));
                break;
            case RestoreJob restore when _snapshots.TryGetValue((restore.Slice, restore.Step), out Lineage? restored):
                Have(restore.Slice, restore.Outputs[0], restored);
                break;
            case RestoreJob restore:
                findings.Add("committed", $"slice {restore.Slice} was restored to step {restore.Step}, of which no snapshot was kept");
                break;
        }
    }

    private bool IsTrained(int slice) => !plan.Slices[slice].Frozen && !plan.IsExpanded(slice);

    private void OnApplied(ApplyJob job)
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

        Have(job.Slice, job.Outputs[0], after);
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

    private void Have(int slice, BufferHandle weights, Lineage lineage)
    {
        _weights[weights] = lineage;
        _newest[slice] = lineage;
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
