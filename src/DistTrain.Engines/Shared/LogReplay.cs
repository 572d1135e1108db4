using DistTrain.Engines.Storage;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Brings a slice from a snapshot to a later step by making every update of the log again, with the same job, so with the same bits. The order of a restore job's
/// buffers is the order in which a shard keeps them.
/// </summary>
internal sealed class LogReplay(RunPlan plan, BufferPool pool, RunLog log)
{
    private readonly int _replicas = plan.Settings.Replicas;

    /// <summary>Moves the state in a restore job, which is at <paramref name="from"/>, to the job's step.</summary>
    public void Run(RestoreJob job, long from, Action<ApplyJob> apply)
    {
        SlicePlan slice = plan.Slices[job.Slice];
        foreach (LogEntry entry in log.UpdatesOf(job.Slice, from, job.Step))
        {
            if (entry.Replica >= 0 && entry.Step <= job.AppliedSteps[entry.Replica])
            {
                // The snapshot holds this one already.
                continue;
            }

            AppliedUpdate update = log.Read(entry, pool);
            Advance(job, slice, update, apply);
            foreach (BufferHandle gradient in update.Gradients)
            {
                pool.Release(gradient);
            }
        }

        if (!plan.Asynchronous)
        {
            Array.Fill(job.AppliedSteps, job.Step);
        }
    }

    private void Advance(RestoreJob job, SlicePlan slice, AppliedUpdate update, Action<ApplyJob> apply)
    {
        BufferHandle weights = job.Outputs[0], state = job.Outputs[1];
        MoveOlder(job.Outputs.AsSpan(2 + (_replicas * slice.CarriedCount)), weights);
        if (update.Update > 0)
        {
            ApplyJob again = update.Repeat(weights, state);
            apply(again);
            again.Outputs.CopyTo(job.Outputs, 0);
            pool.Release(weights);
            pool.Release(state);
            job.Updates = update.Update;
        }

        for (int replica = 0; replica < _replicas; replica++)
        {
            if (update.Replica < 0 || update.Replica == replica)
            {
                int start = replica * slice.CarriedCount;
                MoveCarried(slice, job.Outputs.AsSpan(2 + start, slice.CarriedCount), update.Carried.AsSpan(start, slice.CarriedCount));
                job.AppliedSteps[replica] = update.Step;
            }
        }
    }

    /// <summary>The newest of each kind came with the update; what was newest is now one step old, and so on.</summary>
    private void MoveCarried(SlicePlan slice, Span<BufferHandle> carried, ReadOnlySpan<BufferHandle> arrived)
    {
        for (int position = carried.Length - 1; position >= 0; position--)
        {
            pool.Release(carried[position]);
            if (plan.IsNewestCarried(slice, position))
            {
                carried[position] = arrived[position];
            }
            else
            {
                carried[position] = carried[position - 1];
                pool.Retain(carried[position]);
            }
        }
    }

    private void MoveOlder(Span<BufferHandle> older, BufferHandle weights)
    {
        for (int age = older.Length - 1; age >= 0; age--)
        {
            pool.Release(older[age]);
            older[age] = age == 0 ? weights : older[age - 1];
            pool.Retain(older[age]);
        }
    }
}
