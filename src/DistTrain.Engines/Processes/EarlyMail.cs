using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Messages for an actor of this process that come before it began their epoch: connections and the parent's line do not keep each
/// other's order. Losing them would be right too, but each would cost the protocol's first retry. Thread-safe.
/// </summary>
internal sealed class EarlyMail
{
    private readonly Lock _lock = new();
    private readonly List<Envelope> _waiting = [];
    private long _run;
    private int _incarnation, _epoch;

    /// <summary>The actor got a new life.</summary>
    /// <param name="run">Of this run.</param>
    /// <param name="incarnation">With this incarnation.</param>
    /// <param name="deliver">Receives what waited and may be delivered now.</param>
    public void OnSpawned(long run, int incarnation, Action<Envelope> deliver)
    {
        lock (_lock)
        {
            (_run, _incarnation, _epoch) = (run, incarnation, 0);
            DeliverReady(deliver);
        }
    }

    /// <summary>A message came.</summary>
    /// <param name="envelope">The message.</param>
    /// <param name="deliver">Receives it, and what waited for it; or what has no hope any more, for the actor to judge.</param>
    public void OnMessage(Envelope envelope, Action<Envelope> deliver)
    {
        lock (_lock)
        {
            if (!IsEarly(envelope))
            {
                Pass(envelope, deliver);
                DeliverReady(deliver);
                return;
            }

            _waiting.Add(envelope);
            if (_waiting.Count > ProcessesLimits.EarlyMessagesMax)
            {
                Envelope oldest = _waiting[0];
                _waiting.RemoveAt(0);
                deliver(oldest);
            }
        }
    }

    private bool IsEarly(Envelope envelope)
    {
        if (envelope.Run != _run || envelope.ToIncarnation != _incarnation)
        {
            return envelope.Run > _run || (envelope.Run == _run && envelope.ToIncarnation > _incarnation);
        }

        return envelope.Epoch > _epoch && envelope.Message is not (BeginEpoch or Inquire);
    }

    private void Pass(Envelope envelope, Action<Envelope> deliver)
    {
        if (envelope.Message is BeginEpoch or Inquire && envelope.Run == _run && (envelope.ToIncarnation == _incarnation || envelope.Message is Inquire))
        {
            _epoch = Math.Max(_epoch, envelope.Epoch);
        }

        deliver(envelope);
    }

    /// <summary>Delivers what is not early any more, in the order in which it came; a begin-epoch may free what came before it.</summary>
    private void DeliverReady(Action<Envelope> deliver)
    {
        int index = 0;
        while (index < _waiting.Count)
        {
            if (IsEarly(_waiting[index]))
            {
                index++;
                continue;
            }

            Envelope envelope = _waiting[index];
            _waiting.RemoveAt(index);
            bool begins = envelope.Message is BeginEpoch or Inquire;
            Pass(envelope, deliver);
            index = begins ? 0 : index;
        }
    }
}
