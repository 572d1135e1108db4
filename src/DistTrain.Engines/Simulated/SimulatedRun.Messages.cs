using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Simulated;

/// <content>Messages on their way.</content>
internal sealed partial class SimulatedRun
{
    private void Send(SimulatedActor sender, Envelope envelope)
    {
        Message message = envelope.Message;
        long bytes = _buffers.BytesOf(message);
        _sent.Count(message, bytes);
        _alone.See(envelope);
        _links?.OnSent(envelope.From, envelope.To, bytes);
        if (envelope.From == ActorId.Coordinator && message is IssueStep issue)
        {
            _issued = issue.Step;
            BeginFaultsOfStep(issue.Step);
        }

        sender.Cursor += _messageOverhead;
        long number = ++_messages, arrives = _network.Send(sender.Cursor, envelope.From.Index, envelope.To.Index, bytes, out long second);
        SimulatedFrame? frame = arrives < 0 ? null : _frames?.Write(envelope, bytes);
        _buffers.Release(message);
        if (_journal is not null)
        {
            WriteMessage(sender.Cursor, envelope.From, arrives < 0 ? "lose" : "send", envelope, number, bytes, frame);
        }

        if (arrives < 0)
        {
            Lost++;
            _links?.OnLost(envelope);
            return;
        }

        SimulatedEvent arrival = new()
        {
            Kind = EventKind.Arrival, Actor = envelope.To.Index, Number = CauseNumber(sender, envelope), Since = sender.Cursor, Message = number,
            Object = frame is null ? envelope : frame,
        };
        _events.Add(arrives, arrival);
        if (second >= 0)
        {
            if (frame is not null)
            {
                frame.Readers = 2;
            }

            _events.Add(second, arrival);
        }
    }

    /// <summary>A message arrived where nobody lives.</summary>
    private void CountLost(in SimulatedEvent what)
    {
        if (_links is null || what.Kind != EventKind.Arrival)
        {
            return;
        }

        Envelope envelope = EnvelopeOf(what);
        if (what.Object is SimulatedFrame)
        {
            _buffers.Release(envelope.Message);
        }

        _links.OnLost(envelope);
    }

    private Envelope EnvelopeOf(in SimulatedEvent what) => what.Object is SimulatedFrame frame ? _frames!.Read(frame) : (Envelope)what.Object!;

    /// <summary>One more than the number of the compute thread that sends, where it could take the addressee's turn; 0 otherwise.</summary>
    private int CauseNumber(SimulatedActor sender, Envelope envelope) =>
        _crews is not null && _actors[envelope.To.Index].Node == sender.Node ? sender.OnMember + 1 : 0;

    private void OnMessage(SimulatedActor actor, in SimulatedEvent what)
    {
        Envelope envelope = EnvelopeOf(what);
        long bytes = _buffers.BytesOf(envelope.Message);
        if (_journal is not null)
        {
            WriteMessage(_time.Now, actor.Id, "receive", envelope, what.Message, bytes, frame: null);
        }

        _trace?.OnMessage(new TraceMessage(
            what.Message, envelope.From, envelope.To, what.Since, _time.Now, bytes, MessageCatalog.TagOf(envelope.Message), MessageSteps.Of(envelope.Message)));
        _seams.Tap?.OnDelivered(envelope);
        Step(actor, Stimulus.Arrived(envelope));
        if (what.Object is SimulatedFrame)
        {
            _buffers.Release(envelope.Message);
        }
    }

    private void WriteMessage(long now, ActorId actor, string what, Envelope envelope, long number, long bytes, SimulatedFrame? frame)
    {
        string tag = MessageCatalog.TagOf(envelope.Message), hash = frame is null ? "" : $" hash={EventJournal.HashOf(frame.Bytes)}";
        ActorId peer = actor == envelope.From ? envelope.To : envelope.From;
        _journal!.Write(
            now, _names[actor.Index], what,
            FormattableString.Invariant($"{tag} #{number} {_names[peer.Index]} step={MessageSteps.Of(envelope.Message)} bytes={bytes}{hash}"));
    }
}
