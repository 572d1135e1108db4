using DistTrain.Engines.Checking;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Simulated;

/// <content>Lives of actors, and what their machines ask for.</content>
internal sealed partial class SimulatedRun
{
    private void Start(SimulatedActor actor, ActorMachine machine)
    {
        Kill(actor);
        actor.Slow = actor.Slow.UntilReplaced ? (1, 0, false) : actor.Slow;
        actor.Live(machine);
        _seams.Tap?.OnStarted(actor.Id, machine.Incarnation);
        _journal?.Write(_time.Now, _names[actor.Id.Index], "start", $"incarnation={machine.Incarnation}");
        _events.Add(_time.Now, new SimulatedEvent { Kind = EventKind.Started, Actor = actor.Id.Index, Life = actor.Life });
    }

    private void Kill(SimulatedActor actor)
    {
        if (actor.Machine is not ActorMachine machine)
        {
            return;
        }

        Deaths++;
        _seams.Tap?.OnDied(actor.Id);
        _effects.Clear();
        machine.Abandon(_effects);
        for (int i = 0; i < _effects.Count; i++)
        {
            _buffers.Release(_effects[i].Buffer);
        }

        DropHeld(actor);
        while (actor.Inbox.TryDequeue(out SimulatedEvent unread))
        {
            if (unread.Kind == EventKind.JobDone)
            {
                DropJob(unread.Kind, (Job)unread.Object!);
            }
            else if (unread.Kind == EventKind.Persisted)
            {
                ReleaseRecord((PersistRecord)unread.Object!);
            }
        }

        for (int running = actor.RunningJobs; running > 0; running--)
        {
            _nodes[actor.Node].Free();
        }

        actor.Die();
        _trace?.OnWait(actor.Id, _time.Now, ActorWait.Released, 0);
        StartWaiting(_nodes[actor.Node]);
    }

    private void DropHeld(SimulatedActor actor)
    {
        while (actor.TryDropHeld(out Effect held))
        {
            if (held.Envelope is Envelope envelope)
            {
                _buffers.Release(envelope.Message);
            }
        }
    }

    private void Spawn(ActorId id, int incarnation)
    {
        SimulatedActor actor = _actors[id.Index];
        actor.WantedIncarnation = incarnation;
        _events.Add(_time.Now, new SimulatedEvent { Kind = EventKind.Spawn, Actor = id.Index, Number = incarnation });
    }

    private void OnSpawn(SimulatedActor actor, in SimulatedEvent what)
    {
        if (what.Number != actor.WantedIncarnation)
        {
            return;
        }

        long until = actor.DownUntil;
        if (_network.IsCut(ActorId.Coordinator.Index, actor.Id.Index, _time.Now, out long healed))
        {
            until = Math.Max(until, healed);
        }

        if (until == long.MaxValue)
        {
            return;
        }

        if (until <= _time.Now)
        {
            until = FindPlace(actor);
        }

        if (until > _time.Now)
        {
            if (until < long.MaxValue)
            {
                _events.Add(until, what);
            }

            return;
        }

        Start(actor, Machines.Start(_plan, actor.Id, what.Number, RunIdentity));
        _events.Add(_time.Now, new SimulatedEvent { Kind = EventKind.Joined, Number = actor.Id.Index, Setting = what.Number });
    }

    /// <summary>One stimulus at a time: what comes while the actor is busy waits.</summary>
    private void Offer(SimulatedActor actor, in SimulatedEvent what)
    {
        if (actor.Machine is null)
        {
            CountLost(what);
            return;
        }

        if (_crews is not null)
        {
            OfferToCrew(actor, what, CauseOf(actor, what));
        }
        else if (actor.IsBusy)
        {
            actor.Inbox.Enqueue(what);
        }
        else
        {
            TakeIn(actor, what);
        }
    }

    private void TakeIn(SimulatedActor actor, in SimulatedEvent what)
    {
        if (what.Kind == EventKind.Arrival && _messageOverhead > 0)
        {
            actor.TakesIn = what;
            IsBusyUntil(actor, _time.Now + _messageOverhead);
            return;
        }

        Handle(actor, what);
    }

    private void OnFree(SimulatedActor actor)
    {
        actor.IsBusy = false;
        if (actor.TakesIn is SimulatedEvent message)
        {
            actor.TakesIn = null;
            Handle(actor, message);
        }

        while (!actor.IsBusy && actor.Machine is not null && actor.Inbox.TryDequeue(out SimulatedEvent next))
        {
            TakeIn(actor, next);
        }
    }

    private void IsBusyUntil(SimulatedActor actor, long until)
    {
        actor.IsBusy = true;
        _events.Add(until, new SimulatedEvent { Kind = EventKind.Free, Actor = actor.Id.Index, Life = actor.Life });
    }

    private void Handle(SimulatedActor actor, in SimulatedEvent what)
    {
        actor.Cursor = _time.Now;
        React(actor, what);
        if (actor.Cursor > _time.Now)
        {
            IsBusyUntil(actor, actor.Cursor);
        }
    }

    private void React(SimulatedActor actor, in SimulatedEvent what)
    {
        switch (what.Kind)
        {
            case EventKind.Arrival:
                OnMessage(actor, what);
                break;
            case EventKind.Started:
                Step(actor, new Stimulus(StimulusKind.Started));
                break;
            case EventKind.Timer:
                _journal?.Write(_time.Now, _names[actor.Id.Index], "timer");
                Step(actor, new Stimulus(StimulusKind.Timer) { Timer = what.Number });
                break;
            case EventKind.JobDone:
                Step(actor, Stimulus.Ended((Job)what.Object!, what.Problem));
                break;
            case EventKind.Persisted:
                OnPersisted(actor, (PersistRecord)what.Object!);
                break;
            case EventKind.Suspicion:
                _journal?.Write(_time.Now, _names[what.Number], "suspected");
                _seams.Tap?.OnSuspected(new ActorId(what.Number));
                Step(actor, new Stimulus(StimulusKind.Suspected) { Actor = new ActorId(what.Number) });
                break;
            case EventKind.Joined:
                Step(actor, new Stimulus(StimulusKind.Joined) { Actor = new ActorId(what.Number), Incarnation = what.Setting });
                break;
            case EventKind.Moving:
                Step(actor, new Stimulus(StimulusKind.Moving) { Actor = new ActorId(what.Number) });
                break;
            case EventKind.StopRequested:
                Step(actor, new Stimulus(StimulusKind.StopRequested));
                break;
        }
    }

    private void Step(SimulatedActor actor, in Stimulus stimulus)
    {
        _effects.Clear();
        if (_seams.Step is HostSeams.StepDouble step)
        {
            step(actor.Machine!, stimulus, _effects);
        }
        else
        {
            actor.Machine!.Step(stimulus, _effects);
        }

        for (int i = 0; i < _effects.Count; i++)
        {
            CarryOut(actor, _effects[i]);
        }

        if (_trace is not null && actor.Machine is ActorMachine machine)
        {
            TellWait(_trace, actor.Id, machine);
        }
    }

    private void CarryOut(SimulatedActor actor, in Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.Retain:
                _buffers.Retain(effect.Buffer);
                break;
            case EffectKind.Release:
                _buffers.Release(effect.Buffer);
                break;
            case EffectKind.RunJob:
                StartJob(actor, effect.Job!);
                break;
            case EffectKind.StartTimer:
                SimulatedEvent fires = new()
                {
                    Kind = EventKind.Timer, Actor = actor.Id.Index, Life = actor.Life, Number = effect.Timer, Setting = actor.SetTimer(effect.Timer),
                };
                _events.Add(_time.Now + VirtualTime.Nanoseconds(effect.Delay), fires);
                break;
            case EffectKind.CancelTimer:
                actor.SetTimer(effect.Timer);
                break;
            case EffectKind.Persist:
                actor.OnPersistAsked();
                if (_pool is not null)
                {
                    RunStorage.Retain(effect.Record!, _pool);
                }

                actor.PersistsEnd = Math.Max(actor.PersistsEnd, actor.Cursor) + _persist;
                if (effect.Record is SnapshotRecord)
                {
                    CrashIfDue(actor, (_time.Now + actor.PersistsEnd) / 2);
                }

                _events.Add(
                    actor.PersistsEnd,
                    new SimulatedEvent { Kind = EventKind.Persisted, Actor = actor.Id.Index, Life = actor.Life, Object = effect.Record });
                break;
            default:
                if (effect.Envelope is Envelope envelope)
                {
                    _buffers.Retain(envelope.Message);
                }

                if (!actor.Holds(effect))
                {
                    Publish(actor, effect);
                }

                break;
        }
    }

    private void Publish(SimulatedActor actor, in Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.Send:
                Send(actor, effect.Envelope!);
                break;
            case EffectKind.Report:
                _seams.Tap?.OnReport(effect.Report!);
                _alone.On(effect.Report!);
                _recorder.On(effect.Report!);
                break;
            case EffectKind.Spawn:
                Spawn(effect.Actor, effect.Incarnation);
                break;
        }
    }
}
