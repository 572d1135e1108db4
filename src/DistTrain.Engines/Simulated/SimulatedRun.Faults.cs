using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <content>What goes wrong, and who is suspected for it.</content>
internal sealed partial class SimulatedRun
{
    private readonly List<int> _faultsByStep = [];
    private readonly List<CrashFault> _snapshotCrashes = [];

    private void ScheduleFaults()
    {
        for (int fault = 0; fault < _request.Faults.Count; fault++)
        {
            FaultTime at = _request.Faults[fault].At;
            if (at.Step is not null)
            {
                _faultsByStep.Add(fault);
            }
            else
            {
                _events.Add(VirtualTime.Nanoseconds(at.After), new SimulatedEvent { Kind = EventKind.FaultBegins, Number = fault });
            }
        }
    }

    private void BeginFaultsOfStep(long issued)
    {
        for (int i = 0; i < _faultsByStep.Count; i++)
        {
            int fault = _faultsByStep[i];
            if (_request.Faults[fault].At.Step <= issued)
            {
                _faultsByStep.RemoveAt(i--);
                _events.Add(_time.Now, new SimulatedEvent { Kind = EventKind.FaultBegins, Number = fault });
            }
        }
    }

    /// <summary>Faults that were asked for by hand begin between two events.</summary>
    private void BeginAsked()
    {
        while (_control is not null && _control.TryTake(out Fault? fault))
        {
            Begin(fault!);
        }
    }

    private void Begin(Fault fault)
    {
        _journal?.Write(_time.Now, "run", "fault", fault.Name);
        if (fault is not CrashFault { DuringSnapshot: true })
        {
            Begun(fault);
        }

        switch (fault)
        {
            case CrashFault { DuringSnapshot: true } crash:
                _snapshotCrashes.Add(crash);
                break;
            case CrashFault crash:
                Crash(_actors[crash.Actor.Index], crash.RestartAfter);
                break;
            case NodeLossFault node:
                LoseNode(_actors[node.Actor.Index].Node, node.RestartAfter);
                break;
            case NodeJoinFault join:
                JoinNodes(join.Count);
                break;
            case NodeLeaveFault leave:
                LeaveNode(_actors[leave.Actor.Index].Node);
                break;
            case SuspicionFault suspicion:
                Suspect(suspicion.Actor.Index, _time.Now);
                break;
            case PartitionFault partition:
                _network.Add(partition, _time.Now);
                int position = IndexOf(partition);
                _events.Add(_time.Now + _suspectAfter, new SimulatedEvent { Kind = EventKind.PartitionNoticed, Number = position });
                break;
            case LinkFault link:
                _network.Add(link, _time.Now);
                break;
            case DiskFault disk:
                _faultyDisk!.Begin(disk);
                break;
            case SlowFault slow:
                long until = slow.For is TimeSpan span ? _time.Now + VirtualTime.Nanoseconds(span) : long.MaxValue;
                _actors[slow.Actor.Index].Slow = (slow.Factor, until, slow.UntilReplaced);
                break;
        }
    }

    private void Begun(Fault fault)
    {
        _seams.Tap?.OnFault(fault);
        _recorder.OnFault(fault);
    }

    private void WritesFor(ActorId? writer)
    {
        if (_faultyDisk is not null)
        {
            _faultyDisk.Writer = writer;
        }
    }

    private int IndexOf(Fault fault)
    {
        int position = 0;
        while (!ReferenceEquals(_request.Faults[position], fault))
        {
            position++;
        }

        return position;
    }

    private void Crash(SimulatedActor actor, TimeSpan? restartAfter)
    {
        _journal?.Write(_time.Now, _names[actor.Id.Index], "crash");
        Kill(actor);
        if (actor.Id == ActorId.Coordinator && restartAfter is null)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, "the coordinator was lost for good"));
            return;
        }

        long until = restartAfter is TimeSpan span ? _time.Now + VirtualTime.Nanoseconds(span) : long.MaxValue;
        actor.DownUntil = Math.Max(actor.DownUntil, until);
        if (actor.Id == ActorId.Coordinator)
        {
            long at = Math.Max(actor.DownUntil, _time.Now + _suspectAfter);
            _events.Add(at, new SimulatedEvent { Kind = EventKind.CoordinatorReplaced, Actor = actor.Id.Index });
            return;
        }

        Suspect(actor.Id.Index, _time.Now + _suspectAfter);
    }

    private void CrashIfDue(SimulatedActor actor, long at)
    {
        if (_snapshotCrashes.Find(crash => crash.Actor == actor.Id) is CrashFault due)
        {
            _snapshotCrashes.Remove(due);
            _events.Add(at, new SimulatedEvent { Kind = EventKind.SnapshotCrash, Actor = actor.Id.Index, Life = actor.Life, Number = IndexOf(due) });
        }
    }

    private void CrashWithinSnapshot(CrashFault crash)
    {
        Begun(crash);
        Crash(_actors[crash.Actor.Index], crash.RestartAfter);
    }

    /// <summary>Keeps what a new coordinator would start from.</summary>
    private void Keep(PersistRecord record)
    {
        if (_seams.Keeps is null || _seams.Keeps(record))
        {
            _membershipKept = record as MembershipRecord ?? _membershipKept;
            _snapshotKept = record as SnapshotRecord ?? _snapshotKept;
        }

        if (record is SnapshotRecord snapshot)
        {
            OnSnapshotKept(snapshot.Progress.Step);
        }
    }

    private void Suspect(int actor, long at) => _events.Add(at, new SimulatedEvent { Kind = EventKind.Suspicion, Number = actor });

    /// <summary>Watches a job that will take too long; what would have come of it is computed again, by whoever takes its actor's place.</summary>
    private void WatchJob(SimulatedActor actor, long takes)
    {
        if (takes > _backupAfter && _plan.Topology.RoleOf(actor.Id) == ActorRole.LayerActor)
        {
            _events.Add(_time.Now + _backupAfter, new SimulatedEvent { Kind = EventKind.StragglerNoticed, Actor = actor.Id.Index, Life = actor.Life });
        }
    }

    private void OnStragglerNoticed(SimulatedActor actor)
    {
        if (actor.Backups < Limits.BackupsPerActorMax)
        {
            actor.Backups++;
            _journal?.Write(_time.Now, _names[actor.Id.Index], "straggles");
            Suspect(actor.Id.Index, _time.Now);
        }
    }

    private void OnPartitionNoticed(PartitionFault partition)
    {
        foreach (ActorId actor in partition.Groups.SelectMany(group => group))
        {
            if (_network.IsCut(ActorId.Coordinator.Index, actor.Index, _time.Now, out _))
            {
                Suspect(actor.Index, _time.Now);
            }
        }
    }
}
