using DistTrain.Engines.Shared;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Simulated;

/// <summary>Envelopes as the bytes of a wire, so that what cannot travel does not.</summary>
internal sealed class SimulatedFrames(BufferPool pool) : IDisposable
{
    // Of most messages; a frame grows where it takes more.
    private const int HeaderBytes = 1024;

    private readonly FrameCodec _codec = new();
    private readonly PoolBytes _bytes = new(pool);

    /// <summary>An envelope's frame, for one reader.</summary>
    /// <param name="envelope">The envelope.</param>
    /// <param name="tensorBytes">Bytes of its message's tensors.</param>
    public SimulatedFrame Write(Envelope envelope, long tensorBytes)
    {
        SimulatedFrame frame = new((int)Math.Min(Array.MaxLength, HeaderBytes + tensorBytes)) { Readers = 1 };
        _codec.Write(envelope, _bytes, frame);
        return frame;
    }

    /// <summary>The envelope of a frame for one of its readers; its buffers carry one reference each.</summary>
    public Envelope Read(SimulatedFrame frame)
    {
        _codec.Read(frame.Bytes, _bytes, out Envelope envelope);
        frame.Done();
        return envelope;
    }

    public void Dispose() => _codec.Dispose();
}
