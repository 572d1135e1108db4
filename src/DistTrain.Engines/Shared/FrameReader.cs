using System.Buffers.Binary;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Reads frames off a stream: headers through a buffer of its own, tensors straight into the pool. Bytes that are no frame throw
/// <see cref="FrameException"/>, the stream's end <see cref="EndOfStreamException"/>. One thread.
/// </summary>
/// <param name="stream">The stream.</param>
/// <param name="pool">Takes the tensors.</param>
/// <param name="inlet">Where large tensors are on a stream whose writer has an outlet; null for a stream that has everything.</param>
internal sealed class FrameReader(Stream stream, BufferPool pool, ITensorInlet? inlet = null) : IPayloadSource, IBufferSink, IDisposable
{
    private readonly FrameCodec _codec = new();
    private readonly PoolBytes _bytes = new(pool);
    private readonly List<BufferHandle> _taken = [];
    private byte[] _buffer = new byte[64 << 10];
    private int _start, _end;

    /// <summary>Bytes of the frame that was read last.</summary>
    public int FrameBytes { get; private set; }

    /// <summary>The next envelope, whose buffers carry one reference each.</summary>
    /// <param name="check">Throws where the envelope has no business on this stream; its buffers are given back then.</param>
    public Envelope Read(Action<Envelope> check)
    {
        ReadOnlySpan<byte> prefix = Take(WireLimits.PrefixBytes);
        int length = FrameBytes = FrameCodec.FrameLength(prefix);
        uint header = BinaryPrimitives.ReadUInt32LittleEndian(prefix[sizeof(uint)..]);
        int body = length - WireLimits.PrefixBytes;
        if (header > body || header > WireLimits.HeaderBytesMax)
        {
            throw new FrameException($"the header says that it has {header} bytes, and {Math.Min(body, WireLimits.HeaderBytesMax)} are possible");
        }

        _taken.Clear();
        try
        {
            _codec.Read(Take((int)header), body - (int)header, this, this, out Envelope envelope);
            check(envelope);
            return envelope;
        }
        catch
        {
            // The stream may have ended in the middle of a frame.
            foreach (BufferHandle buffer in _taken)
            {
                pool.Release(buffer);
            }

            throw;
        }
    }

    /// <summary>A buffer of a tensor that lies aside has its bytes already, so nothing is left to fill.</summary>
    public Span<byte> Allocate(int length, out BufferHandle buffer)
    {
        if (inlet is not null && length >= TensorPlace.TensorBytesMin)
        {
            TensorPlace place = TensorPlace.Read(Take(TensorPlace.EncodedBytes));
            if (!place.IsInStream)
            {
                buffer = inlet.Adopt(place, length, pool);
                _taken.Add(buffer);
                return [];
            }
        }

        Span<byte> bytes = _bytes.Allocate(length, out buffer);
        _taken.Add(buffer);
        return bytes;
    }

    public void Fill(Span<byte> destination)
    {
        int buffered = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        _start += buffered;
        stream.ReadExactly(destination[buffered..]);
    }

    public void Dispose() => _codec.Dispose();

    /// <summary>The next bytes, taken; valid until the next call. The count was checked against a limit.</summary>
    private ReadOnlySpan<byte> Take(int count)
    {
        if (_end - _start < count)
        {
            Gather(count);
        }

        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, count);
        _start += count;
        return bytes;
    }

    private void Gather(int count)
    {
        byte[] target = count > _buffer.Length ? new byte[count] : _buffer;
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        (_buffer, _end, _start) = (target, _end - _start, 0);
        _end += stream.ReadAtLeast(_buffer.AsSpan(_end), count - _end);
    }
}
