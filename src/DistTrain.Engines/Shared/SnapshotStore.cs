using DistTrain.Engines.Storage;
using DistTrain.Protocol;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Snapshots of committed steps. In memory a snapshot is a reference to the buffers of its version, which are frozen, so it
/// costs no copy; with
/// a journal folder it is written there too. A snapshot exists once the coordinator's part is kept, and not before.
/// </summary>
/// <param name="pool">The buffers.</param>
/// <param name="files">The journal folder's files; null for none.</param>
/// <param name="log">The log that a snapshot makes shorter; null for none.</param>
/// <param name="inMemory">Whether parts are kept in memory too; not where coordinator and shards live apart and see only files of each other.</param>
internal sealed class SnapshotStore(BufferPool pool, SnapshotFiles? files, RunLog? log = null, bool inMemory = true) : IDisposable
{
    // A recovery that began while the newest snapshot became complete goes back to the one before.
    private const int CompleteMax = 2;

    private readonly Lock _lock = new();
    private readonly List<KeptSlice> _parts = [];
    private readonly List<(long Step, List<KeptSlice> Slices)> _complete = [];

    /// <summary>What is kept of the steps since the newest snapshot; null where nothing is.</summary>
    public RunLog? Log => log;

    /// <summary>Keeps a slice's part.</summary>
    public void Keep(SnapshotJob job)
    {
        KeptSlice slice = new(job.Slice, job.Step, job.Updates, [.. job.AppliedSteps], [.. job.Inputs]);
        if (!inMemory)
        {
            files?.Write(slice, pool);
            return;
        }

        foreach (BufferHandle buffer in slice.Buffers)
        {
            pool.Retain(buffer);
        }

        files?.Write(slice, pool);
        lock (_lock)
        {
            // A part of the same step may be here from before a recovery.
            Drop(_parts, old => old.Slice == slice.Slice && old.Step == slice.Step);
            _parts.Add(slice);
        }
    }

    /// <summary>Every part is kept: the snapshot exists, and older ones may go.</summary>
    public void Complete(CoordinatorProgress progress)
    {
        files?.Complete(progress);
        lock (_lock)
        {
            List<KeptSlice> slices = _parts.FindAll(part => part.Step == progress.Step);
            _parts.RemoveAll(part => part.Step == progress.Step);
            Drop(_parts, part => part.Step < progress.Step);
            _complete.Add((progress.Step, slices));
            if (_complete.Count > CompleteMax)
            {
                Drop(_complete[0].Slices, _ => true);
                _complete.RemoveAt(0);
            }
        }
    }

    /// <summary>The newest complete snapshot's step that is not above the given one; 0 when there is none, which stands for the beginning.</summary>
    public long NewestUpTo(long step)
    {
        lock (_lock)
        {
            long newest = _complete.Where(snapshot => snapshot.Step <= step).Select(snapshot => snapshot.Step).DefaultIfEmpty(0).Max();
            return Math.Max(newest, files?.NewestUpTo(step) ?? 0);
        }
    }

    /// <summary>Fills a restore job from a complete snapshot; false when there is none of that step.</summary>
    public bool TryRestore(RestoreJob job)
    {
        lock (_lock)
        {
            if (_complete.FindLast(snapshot => snapshot.Step == job.Step).Slices?.Find(slice => slice.Slice == job.Slice) is KeptSlice kept)
            {
                foreach (BufferHandle buffer in kept.Buffers)
                {
                    pool.Retain(buffer);
                }

                kept.Buffers.CopyTo(job.Outputs, 0);
                kept.AppliedSteps.CopyTo(job.AppliedSteps, 0);
                job.Updates = kept.Updates;
                return true;
            }
        }

        return files is not null && files.TryRead(job, pool);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            Drop(_parts, _ => true);
            foreach ((long _, List<KeptSlice> slices) in _complete)
            {
                Drop(slices, _ => true);
            }

            _complete.Clear();
        }
    }

    private void Drop(List<KeptSlice> from, Predicate<KeptSlice> which)
    {
        foreach (BufferHandle buffer in from.FindAll(which).SelectMany(slice => slice.Buffers))
        {
            pool.Release(buffer);
        }

        from.RemoveAll(which);
    }
}

/// <summary>One slice of a snapshot; buffers as in a restore job.</summary>
internal sealed record KeptSlice(int Slice, long Step, long Updates, long[] AppliedSteps, BufferHandle[] Buffers);
