using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <content>Carrying out what a machine wants done, in the order that <see cref="EffectList"/> promises.</content>
internal sealed partial class ActorCell
{
    private void CarryOut()
    {
        for (int i = 0; i < _effects.Count; i++)
        {
            ref readonly Effect effect = ref _effects[i];
            switch (effect.Kind)
            {
                case EffectKind.Retain:
                    pool.Retain(effect.Buffer);
                    break;
                case EffectKind.Release:
                    pool.Release(effect.Buffer);
                    break;
                case EffectKind.RunJob:
                    StartJob(effect.Job!);
                    break;
                case EffectKind.StartTimer:
                    StartTimer(effect.Timer, effect.Delay);
                    break;
                case EffectKind.CancelTimer:
                    StartTimer(effect.Timer, Timeout.InfiniteTimeSpan);
                    break;
                case EffectKind.Persist:
                    if (effect.Record is SnapshotRecord or PreparedRecord { Updates.Count: > 0 })
                    {
                        // To write tensors takes long, and others can go on with what was sent before.
                        SendOff();
                    }

                    _persistsAsked++;
                    RunStorage.Retain(effect.Record!, pool);
                    if (host.Persist(this, _life, effect.Record!))
                    {
                        OnKept(effect.Record!);
                    }

                    break;
                default:
                    Hold(effect);
                    break;
            }
        }
    }

    /// <summary>
    /// A record was kept as soon as it was given. Those of every step go on in this turn, unless an earlier one is still open or could not be kept. The others keep their
    /// place in the mailbox: what waits there, such as a second loss, may make a membership obsolete before anybody hears of it.
    /// </summary>
    private void OnKept(PersistRecord record)
    {
        if (record is PreparedRecord or CommittedRecord && _persistsAsked - _persistsDone == _keptInTurn.Count + 1)
        {
            _keptInTurn.Enqueue(record);
        }
        else
        {
            OnPersisted(_life, record);
        }
    }

    /// <summary>What others can see waits for the actor's earlier persists.</summary>
    private void Hold(in Effect effect)
    {
        if (effect.Envelope is Envelope envelope)
        {
            pool.Retain(envelope.First);
            pool.Retain(envelope.Second);
        }

        if (_persistsDone < _persistsAsked)
        {
            HoldBack(effect);
        }
        else
        {
            Publish(effect);
        }
    }

    // A method of its own, because whoever copies an effect clears room for it on its stack, each time that it is called.
    private void HoldBack(in Effect effect) => _held.Enqueue((_persistsAsked, effect));

    private void PublishHeld()
    {
        while (_held.TryPeek(out (long After, Effect Effect) held) && held.After <= _persistsDone)
        {
            _held.Dequeue();
            Publish(held.Effect);
        }
    }

    private void DropHeld()
    {
        while (_held.TryDequeue(out (long After, Effect Effect) held))
        {
            if (held.Effect.Envelope is Envelope envelope)
            {
                ReleaseDelivery(envelope);
            }
        }

        _persistsDone = _persistsAsked;
    }

    private void Publish(in Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.Send:
                Envelope envelope = effect.Envelope!;
                Sent.Count(envelope.Message, pool.Length(envelope.First) + pool.Length(envelope.Second));
                host.Deliver(envelope);
                _hasDelivered = true;
                break;
            case EffectKind.Report:
                host.Report(effect.Report!);
                break;
            case EffectKind.Spawn:
                host.Spawn(effect.Actor, effect.Incarnation);
                break;
        }
    }

    private void SendOff()
    {
        if (_hasDelivered)
        {
            _hasDelivered = false;
            host.SendOff();
        }
    }

    private void StartTimer(int timer, TimeSpan delay)
    {
        if (_timers.TryGetValue(timer, out ITimer? running))
        {
            running.Change(delay, Timeout.InfiniteTimeSpan);
            return;
        }

        _timers[timer] = time.CreateTimer(
            _ => Post(new Stimulus(StimulusKind.Timer) { Timer = timer }), null, delay, Timeout.InfiniteTimeSpan);
    }
}
