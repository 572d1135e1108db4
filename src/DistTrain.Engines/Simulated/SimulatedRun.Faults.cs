using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Engines.Simulated;

/// <content>What goes wrong, and who is suspected for it.</content>
internal sealed partial class SimulatedRun
{
    private readonly List<int> _faultsByStep = [];

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

    private void Begin(Fault fault)
    {
        _journal?.Write(_time.Now, "run", "fault", fault.Name);
        switch (fault)
        {
            case CrashFault crash:
                Crash(_actors[crash.Actor.Index], crash.RestartAfter);
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
            case SlowFault slow:
                long until = slow.For is TimeSpan span ? _time.Now + VirtualTime.Nanoseconds(span) : long.MaxValue;
                _actors[slow.Actor.Index].Slow = (slow.Factor, until);
                break;
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
        if (actor.Id == ActorId.Coordinator && restartAfter is not null && _storage is { CanReplaceCoordinator: true })
        {
            // Nobody is left to ask for the next one: whoever runs the machine starts it again, and it takes a higher epoch.
            actor.DownUntil = _time.Now + VirtualTime.Nanoseconds(restartAfter.Value);
            Spawn(actor.Id, incarnation: 0);
            return;
        }

        if (actor.Id == ActorId.Coordinator)
        {
            _recorder.On(new RunEnded(RunEnd.Failed, 0, "the coordinator was lost, and nothing replaces it: that takes durability step or power, and a restart"));
            return;
        }

        long until = restartAfter is TimeSpan span ? _time.Now + VirtualTime.Nanoseconds(span) : long.MaxValue;
        actor.DownUntil = Math.Max(actor.DownUntil, until);
        Suspect(actor.Id.Index, _time.Now + _suspectAfter);
    }

    private void Suspect(int actor, long at) => _events.Add(at, new SimulatedEvent { Kind = EventKind.Suspicion, Number = actor });

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
