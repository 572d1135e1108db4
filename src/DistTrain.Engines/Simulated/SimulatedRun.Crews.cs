using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <content>
/// Nodes with a machine's profile: actors' turns and jobs share the compute threads, in the order in which <see cref="Shared.ComputeCrew"/> takes them.
/// </content>
internal sealed partial class SimulatedRun
{
    // As in the threads engine, a busy actor does not keep others from the crew for longer.
    private const int StimuliPerTurnMax = 64;

    private void OfferToCrew(SimulatedActor actor, in SimulatedEvent what, SimulatedMember? cause)
    {
        actor.Inbox.Enqueue(what);
        if (actor.IsBusy)
        {
            return;
        }

        actor.IsBusy = true;
        SimulatedCrew crew = _crews![actor.Node];
        if (cause is { Mode: not (MemberMode.Parked or MemberMode.Waking or MemberMode.Looking) })
        {
            cause.LocalTurns.Enqueue((actor.Id.Index, actor.Life));
            return;
        }

        crew.Turns.Enqueue((actor.Id.Index, actor.Life));
        WakeOne(actor.Node);
        Notice(actor.Node);
    }

    /// <summary>Who caused an arrival on its own node.</summary>
    private SimulatedMember? CauseOf(SimulatedActor actor, in SimulatedEvent what) =>
        what.Kind == EventKind.Arrival && what.Number > 0 ? _crews![actor.Node].Members[what.Number - 1] : null;

    private void QueueOnCrew(SimulatedActor actor, Job job)
    {
        SimulatedCrew crew = _crews![actor.Node];
        WaitingJob waiting = new(actor.Id.Index, actor.Life, job);
        if (crew.Members[actor.OnMember] is { Mode: MemberMode.Turn } own && _shortJobs.Contains(job))
        {
            own.LocalJobs.Enqueue(waiting);
            return;
        }

        crew.Jobs.Enqueue(waiting);
        Notice(actor.Node);
    }

    private void OnMember(int node, in SimulatedEvent what)
    {
        SimulatedMember member = _crews![node].Members[what.Number];
        if (what.Setting != member.Setting)
        {
            return;
        }

        switch (member.Mode)
        {
            case MemberMode.Turn:
                GoOnWithTurn(node, member);
                break;
            case MemberMode.Job:
                GoOnWithJob(node, member);
                break;
            case MemberMode.Piece:
                OnPieceEnd(node, member);
                break;
            case MemberMode.Looking:
                member.Mode = MemberMode.Parked;
                _crews[node].Parked.Push(member);
                break;
            default:
                TakeNext(node, member);
                break;
        }
    }

    private void TakeNext(int node, SimulatedMember member)
    {
        SimulatedCrew crew = _crews![node];
        while (member.LocalJobs.TryDequeue(out WaitingJob own))
        {
            if (_actors[own.Actor].Life == own.Life)
            {
                BeginOnCrew(node, member, own);
                return;
            }

            DropJob(EventKind.JobReady, own.Job);
        }

        while (member.LocalTurns.TryDequeue(out (int Actor, int Life) turn) || crew.Turns.TryDequeue(out turn))
        {
            if (_actors[turn.Actor].Life == turn.Life)
            {
                (member.Mode, member.Turn) = (MemberMode.Turn, (turn.Actor, turn.Life, 0));
                GoOnWithTurn(node, member);
                return;
            }
        }

        while (crew.Jobs.TryDequeue(out WaitingJob waiting))
        {
            if (_actors[waiting.Actor].Life == waiting.Life)
            {
                if (crew.Jobs.Count > 0)
                {
                    WakeOne(node);
                }

                BeginOnCrew(node, member, waiting);
                return;
            }

            DropJob(EventKind.JobReady, waiting.Job);
        }

        if (crew.HelpableBy(member) is SimulatedMember forker)
        {
            BeginPiece(node, member, forker);
            return;
        }

        member.Mode = MemberMode.Looking;
        After(node, member, SimulatedCrew.SpinNanoseconds);
    }

    private void GoOnWithTurn(int node, SimulatedMember member)
    {
        SimulatedActor actor = _actors[member.Turn.Actor];
        if (actor.Life == member.Turn.Life && member.Turn.Handled == StimuliPerTurnMax)
        {
            member.LocalTurns.Enqueue((member.Turn.Actor, member.Turn.Life));
        }
        else if (actor.Life == member.Turn.Life)
        {
            if (!actor.Inbox.TryDequeue(out SimulatedEvent what))
            {
                actor.IsBusy = false;
                TakeNext(node, member);
                return;
            }

            member.Turn = member.Turn with { Handled = member.Turn.Handled + 1 };
            actor.OnMember = member.Index;
            actor.Cursor = _time.Now + (what.Kind == EventKind.Arrival ? _messageOverhead : what.Kind == EventKind.JobDone ? _jobOverhead : 0);
            React(actor, what);

            // Not at once even where it took no time: what it sent or had kept comes first.
            After(node, member, actor.Cursor - _time.Now);
            return;
        }

        TakeNext(node, member);
    }

    private void BeginOnCrew(int node, SimulatedMember member, in WaitingJob waiting)
    {
        member.Mode = MemberMode.Job;
        member.Job = waiting.Job;
        member.Running = (waiting.Actor, waiting.Life, _pricing.PriceOf(waiting.Job), 0, _time.Now);
        After(node, member, _jobOverhead);
    }

    private void GoOnWithJob(int node, SimulatedMember member)
    {
        IReadOnlyList<JobPart> parts = member.Running.Price.Parts;
        SimulatedCrew crew = _crews![node];
        double alone = 0;
        for (int index = member.Running.Part; index < parts.Count; index++)
        {
            bool forks = parts[index].Chunks(crew.Members.Length) > 1;
            if (alone == 0 && member.TryFork(parts[index], crew.Members.Length))
            {
                member.Running = member.Running with { Part = index + 1 };
                WakeOne(node);
                BeginPiece(node, member, member);
                Notice(node);
                return;
            }

            if (forks)
            {
                break;
            }

            alone += parts[index].Seconds;
            member.Running = member.Running with { Part = index + 1 };
        }

        if (alone > 0)
        {
            After(node, member, Slowed(_actors[member.Running.Actor], 1e9 * alone));
            return;
        }

        EndOnCrew(node, member);
    }

    private void EndOnCrew(int node, SimulatedMember member)
    {
        SimulatedActor actor = _actors[member.Running.Actor];
        Job job = member.Job!;
        member.Job = null;
        if (member.Running.Life == actor.Life)
        {
            Finish(actor, job, member.Running.Since, out SimulatedEvent done);
            OfferToCrew(actor, done, member);
        }
        else
        {
            DropJob(EventKind.JobEnd, job);
        }

        TakeNext(node, member);
    }

    private void BeginPiece(int node, SimulatedMember member, SimulatedMember forker)
    {
        SimulatedCrew crew = _crews![node];
        forker.Claim();
        (member.Mode, member.Forker) = (MemberMode.Piece, forker);
        bool hasCompany = crew.Members.Any(other => other != member && other.Mode is not (MemberMode.Parked or MemberMode.Waking));
        double company = hasCompany ? crew.Members.Length / _pricing.SpeedupOf(crew.Members.Length) : 1;
        After(node, member, Slowed(_actors[forker.Running.Actor], forker.PieceNanoseconds * company));
    }

    private void OnPieceEnd(int node, SimulatedMember member)
    {
        SimulatedMember forker = member.Forker!;
        bool isLast = forker.Finish();
        if (forker.Unclaimed > 0)
        {
            BeginPiece(node, member, forker);
            return;
        }

        if (isLast)
        {
            forker.Mode = MemberMode.Job;
            GoOnWithJob(node, forker);
        }

        if (member != forker)
        {
            TakeNext(node, member);
        }
        else if (!isLast)
        {
            member.Mode = MemberMode.Joining;
        }
    }

    private long Slowed(SimulatedActor actor, double nanoseconds) =>
        (long)Math.Round(nanoseconds * (_time.Now < actor.Slow.Until ? actor.Slow.Factor : 1));

    /// <summary>A sleeping thread, if there is one, will look for work.</summary>
    private void WakeOne(int node)
    {
        if (_crews![node].Parked.TryPop(out SimulatedMember? member))
        {
            member.Mode = MemberMode.Waking;
            After(node, member, _wake);
        }
    }

    /// <summary>Threads that look for work find it.</summary>
    private void Notice(int node)
    {
        foreach (SimulatedMember member in _crews![node].Members)
        {
            if (member.Mode == MemberMode.Looking)
            {
                member.Mode = MemberMode.Taking;
                After(node, member, _handOver);
            }
        }
    }

    private void After(int node, SimulatedMember member, long nanoseconds) => _events.Add(
        _time.Now + nanoseconds, new SimulatedEvent { Kind = EventKind.Member, Actor = node, Number = member.Index, Setting = ++member.Setting });

    private void GiveCrewsBack()
    {
        foreach (SimulatedCrew crew in _crews ?? [])
        {
            foreach (Job job in crew.Members.Select(member => member.Job).OfType<Job>()
                .Concat(crew.Members.SelectMany(member => member.LocalJobs).Concat(crew.Jobs).Select(waiting => waiting.Job)))
            {
                DropJob(EventKind.JobReady, job);
            }
        }
    }
}
