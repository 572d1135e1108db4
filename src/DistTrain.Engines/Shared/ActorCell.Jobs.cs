using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <content>Jobs: on a crew member of their own, or at once in the turn that asked for them.</content>
internal sealed partial class ActorCell
{
    /// <summary>Runs a job of this actor on the calling crew member.</summary>
    public void RunJob(Job job, ComputeScratch scratch) => Post(Compute(job, scratch));

    /// <summary>Gives back what a job holds that will never run.</summary>
    public void DropJob(Job job)
    {
        ReleaseInputs(job);
        ReleaseOutputs(job);
    }

    /// <summary>Handles what the last stimulus led to and this turn has done itself.</summary>
    private void FinishOwn(ComputeScratch scratch)
    {
        while (true)
        {
            // A record that is kept waits for nobody; through the mailbox it would only come later.
            if (_keptInTurn.TryDequeue(out PersistRecord? record))
            {
                Handle(new Stimulus(StimulusKind.Persisted) { Record = record });
            }
            else if (_jobsOfTurn.TryDequeue(out Job? job))
            {
                Handle(Compute(job, scratch));
            }
            else
            {
                return;
            }
        }
    }

    private void StartJob(Job job)
    {
        foreach (BufferHandle input in job.Inputs)
        {
            pool.Retain(input);
        }

        if (_jobsInTurn < JobsPerTurnMax && _slowness is null && !host.Watches(Id) && crew.RunsInTurn(job))
        {
            _jobsInTurn++;
            _jobsOfTurn.Enqueue(job);
            return;
        }

        crew.Schedule(this, job);
    }

    /// <summary>Runs a job; what its actor is to be told.</summary>
    private Stimulus Compute(Job job, ComputeScratch scratch)
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

        ReleaseInputs(job);
        return new Stimulus(problem is null ? StimulusKind.JobDone : StimulusKind.JobFailed) { Job = job, Problem = problem };
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
