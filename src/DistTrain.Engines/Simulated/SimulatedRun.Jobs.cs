using DistTrain.Engines.Tracing;
using DistTrain.Numerics.Kernels;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Simulated;

/// <content>Jobs on the slots of nodes.</content>
internal sealed partial class SimulatedRun
{
    private void StartJob(SimulatedActor actor, Job job)
    {
        _buffers.RetainInputs(job);
        if (actor.Cursor > _time.Now)
        {
            _events.Add(
                actor.Cursor, new SimulatedEvent { Kind = EventKind.JobReady, Actor = actor.Id.Index, Life = actor.Life, Object = job });
            return;
        }

        TakeSlot(actor, job);
    }

    private void TakeSlot(SimulatedActor actor, Job job)
    {
        if (_crews is not null)
        {
            QueueOnCrew(actor, job);
        }
        else if (_nodes[actor.Node].TryStart(new WaitingJob(actor.Id.Index, actor.Life, job)))
        {
            Begin(actor, job);
        }
    }

    private void Begin(SimulatedActor actor, Job job)
    {
        actor.RunningJobs++;
        long takes = _pricing.NanosecondsOf(job);
        if (_time.Now < actor.Slow.Until)
        {
            takes = (long)Math.Round(takes * actor.Slow.Factor);
        }

        WatchJob(actor, takes);
        if (job is SnapshotJob)
        {
            CrashIfDue(actor, _time.Now + (takes / 2));
        }

        _events.Add(
            _time.Now + takes,
            new SimulatedEvent { Kind = EventKind.JobEnd, Actor = actor.Id.Index, Life = actor.Life, Since = _time.Now, Object = job });
    }

    private void StartWaiting(SimulatedNode node)
    {
        while (node.TryStartNext(out WaitingJob waiting))
        {
            SimulatedActor actor = _actors[waiting.Actor];
            if (actor.Life == waiting.Life)
            {
                Begin(actor, waiting.Job);
            }
            else
            {
                node.Free();
                DropJob(EventKind.JobReady, waiting.Job);
            }
        }
    }

    private void OnJobEnd(SimulatedActor actor, in SimulatedEvent what)
    {
        Job job = (Job)what.Object!;
        if (what.Life != actor.Life)
        {
            // Its slot went back when its actor died.
            DropJob(what.Kind, job);
            return;
        }

        actor.RunningJobs--;
        _nodes[actor.Node].Free();
        StartWaiting(_nodes[actor.Node]);
        Finish(actor, job, what.Since, out SimulatedEvent done);
        Offer(actor, done);
    }

    /// <summary>A job's arithmetic, at its end, and what its actor hears of it.</summary>
    private void Finish(SimulatedActor actor, Job job, long since, out SimulatedEvent done)
    {
        string? problem = RunJob(actor.Id, job);
        _buffers.ReleaseInputs(job);
        if (_journal is not null || _trace is not null)
        {
            TraceSpan span = TraceSpan.Of(actor.Id, actor.Node, since, _time.Now, job);
            _trace?.OnSpan(span);
            _journal?.Write(
                _time.Now,
                _names[actor.Id.Index],
                "job",
                FormattableString.Invariant($"{span.Kind} step={span.Step} micro-batch={span.MicroBatch} since={since}"));
        }

        done = new SimulatedEvent { Kind = EventKind.JobDone, Actor = actor.Id.Index, Life = actor.Life, Object = job, Problem = problem };
    }

    private string? RunJob(ActorId actor, Job job)
    {
        if (job is RestoreJob { Step: > 0 } && !_hasDisk[_plan.Topology.PositionOf(actor)])
        {
            return "what it had kept was lost with its node, and no copy is left";
        }

        try
        {
            if (_seams.Compute is null)
            {
                Compute(actor, job);
            }
            else
            {
                ComputeThrough(_seams.Compute, actor, job);
            }

            if (job is SnapshotJob snapshot)
            {
                _snapshotBy[_plan.Topology.PositionOf(actor)] = snapshot.Step;
            }

            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            _buffers.ReleaseOutputs(job);
            return exception.Message;
        }
    }

    private void Compute(ActorId actor, Job job)
    {
        WritesFor(actor);
        _runner.Run(job, _scratch, SerialForkJoin.Instance);
        WritesFor(null);
        _seams.Tap?.OnJob(actor, job);
    }

    // A method of its own: what a lambda captures is allocated where its method begins, and runs without a double must not pay for it.
    private void ComputeThrough(Action<Job, Action<Job>> through, ActorId actor, Job job) => through(job, one => Compute(actor, one));

    /// <summary>Gives back what a job holds that nobody will hear of.</summary>
    private void DropJob(EventKind state, Job job)
    {
        if (state != EventKind.JobDone)
        {
            _buffers.ReleaseInputs(job);
        }

        _buffers.ReleaseOutputs(job);
    }
}
