using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <content>Jobs: on a crew member of their own, or at once in the turn that asked for them.</content>
internal sealed partial class ActorCell
{
    /// <summary>Whose a job is that a crew has been given.</summary>
    public static ActorCell Of(Job job) => (ActorCell)job.HostTag!;

    /// <summary>Runs a job of this actor on the calling crew member.</summary>
    public void RunJob(Job job, ComputeScratch scratch)
    {
        string? problem = Compute(job, scratch);
        ReleaseInputs(job);
        Post(Stimulus.Ended(job, problem));
    }

    /// <summary>Gives back what a job holds that will never run.</summary>
    public void DropJob(Job job)
    {
        ReleaseInputs(job);
        ReleaseOutputs(job);
    }

    /// <summary>Handles what the last stimulus led to and this turn has done itself.</summary>
    private void FinishOwn()
    {
        while (true)
        {
            // A record that is kept waits for nobody; through the mailbox it would only come later.
            if (_keptInTurn.TryDequeue(out PersistRecord? record))
            {
                Handle(Stimulus.Kept(record));
            }
            else if (_doneInTurn.TryDequeue(out (Job Job, string? Problem) done))
            {
                Handle(Stimulus.Ended(done.Job, done.Problem));
            }
            else
            {
                return;
            }
        }
    }

    private void StartJob(Job job)
    {
        if (_scratchOfTurn is ComputeScratch scratch && _jobsInTurn < JobsPerTurnMax && _slowness is null && !host.Watches(Id) && crew.RunsInTurn(job))
        {
            // It runs here and now, before anything that the actor wants besides, so that its inputs are held by whoever asked for it.
            _jobsInTurn++;
            _doneInTurn.Enqueue((job, Compute(job, scratch)));
            return;
        }

        foreach (BufferHandle input in job.Inputs)
        {
            pool.Retain(input);
        }

        // Most jobs have been here before, and then another core need not fetch them once more.
        if (job.HostTag != this)
        {
            job.HostTag = this;
        }

        crew.Schedule(job);
    }

    /// <summary>Runs a job.</summary>
    /// <returns>Why it could not be done; null when it was.</returns>
    private string? Compute(Job job, ComputeScratch scratch)
    {
        string? problem = null;
        TraceFeed? trace = host.Trace;
        long startedAt = trace?.Now ?? 0;
        try
        {
            using IDisposable? watch = host.WatchJob(Id);
            Slowness? slowness = _slowness;
            long began = slowness is null ? 0 : time.GetTimestamp();
            crew.Runner.Run(job, scratch, crew);
            slowness?.Prolong(time.GetElapsedTime(began));
            trace?.Span(Id, startedAt, job);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            problem = exception.Message;
            ReleaseOutputs(job);
        }

        return problem;
    }

    private void ReleaseInputs(Job job)
    {
        foreach (BufferHandle input in job.Inputs)
        {
            pool.Release(input);
        }
    }

    private void ReleaseOutputs(Job job)
    {
        foreach (BufferHandle output in job.Outputs)
        {
            pool.Release(output);
        }

        Array.Clear(job.Outputs);
    }
}
