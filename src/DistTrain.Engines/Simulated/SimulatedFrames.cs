using System.Buffers;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Simulated;

/// <summary>Envelopes as the bytes of a wire, so that what cannot travel does not.</summary>
internal sealed class SimulatedFrames(BufferPool pool) : IDisposable
{
    private readonly FrameCodec _codec = new();
    private readonly PoolBytes _bytes = new(pool);
    private readonly ArrayBufferWriter<byte> _writer = new();

    /// <summary>An envelope's frame.</summary>
    public byte[] Write(in Envelope envelope)
    {
        _writer.ResetWrittenCount();
        _codec.Write(envelope, _bytes, _writer);
        return _writer.WrittenSpan.ToArray();
    }

    /// <summary>The envelope of a frame; its buffers carry one reference each.</summary>
    public void Read(byte[] frame, out Envelope envelope) => _codec.Read(frame, _bytes, out envelope);

    public void Dispose() => _codec.Dispose();
}
