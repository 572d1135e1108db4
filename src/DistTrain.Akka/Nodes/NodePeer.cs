using Akka.Actor;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Messages;
using Envelope = DistTrain.Protocol.Messages.Envelope;

namespace DistTrain.Akka.Nodes;

/// <summary>Another node of a run: control messages go to its actor, large tensors over a stream, which is opened when there are
/// some.</summary>
internal sealed class NodePeer(string address, IActorRef actor, Func<CancellationToken, Stream> open, BufferPool pool, ThreadLocal<EnvelopePacker> packers) : IDisposable
{
    private static readonly KeyValuePair<string, object?> ControlWire = new("wire", "control"), StreamWire = new("wire", "stream");

    private readonly Lock _lock = new();
    private FrameLink? _link;
    private bool _closed;

    /// <summary>Its address.</summary>
    public string Address => address;

    /// <summary>Its node actor.</summary>
    public IActorRef Actor => actor;

    /// <summary>Puts an envelope on one of the two wires; its delivery's references are this peer's now. Never blocks.</summary>
    public void Send(Envelope envelope)
    {
        long bytes = pool.Length(envelope.First) + pool.Length(envelope.Second);
        bool isSmall = bytes <= StreamLimits.ControlBufferBytesMax
            && !(envelope.Message is BeginEpoch begin && begin.Incarnations.Length > StreamLimits.ControlActorsMax);
        KeyValuePair<string, object?> wire = isSmall ? ControlWire : StreamWire;
        NodeTelemetry.Messages.Add(1, wire);
        NodeTelemetry.TensorBytes.Add(bytes, wire);
        if (!isSmall && LinkOrNull() is FrameLink link)
        {
            link.Send(envelope);
            return;
        }

        if (isSmall)
        {
            actor.Tell(packers.Value!.Pack(envelope), ActorRefs.NoSender);
        }

        pool.Release(envelope.First);
        pool.Release(envelope.Second);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
        }

        _link?.Dispose();
    }

    private FrameLink? LinkOrNull()
    {
        lock (_lock)
        {
            return _closed ? null : _link ??= new FrameLink(open, StreamLimits.ReconnectCap, pool);
        }
    }
}
