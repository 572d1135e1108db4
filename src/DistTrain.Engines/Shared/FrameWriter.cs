using System.Buffers;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Shared;

/// <summary>Writes envelopes to a stream as frames: small buffers are gathered with the headers, large ones go from where they are, or
/// aside where the stream is an <see cref="ITensorOutlet"/>. One writer at a time.</summary>
internal sealed class FrameWriter(BufferPool pool) : IDisposable
{
    /// <summary>Bytes that are gathered before they are written: as much as a socket takes at once.</summary>
    public const int BatchBytes = 128 << 10;

    /// <summary>Bytes of messages that are told of at once on a stream beside which large tensors have a way of their own: telling costs as much as copying some tens of kilobytes.</summary>
    public const int AsideBatchBytes = 512 << 10;

    /// <summary>Buffers from this size on are written from where they are instead of being gathered.</summary>
    public const int LargeBufferBytes = TensorPlace.TensorBytesMin;

    private readonly ArrayBufferWriter<byte> _gathered = new(BatchBytes);
    private readonly FrameCodec _codec = new();
    private readonly PoolBytes _bytes = new(pool);

    /// <summary>Bytes that are gathered and not written.</summary>
    public int Gathered => _gathered.WrittenCount;

    /// <summary>Forgets what was gathered, for a stream that was lost.</summary>
    public void Reset() => _gathered.ResetWrittenCount();

    /// <summary>Appends a frame; returns its length in bytes.</summary>
    public long Write(Envelope envelope, Stream stream)
    {
        ITensorOutlet? outlet = stream as ITensorOutlet;
        int before = _gathered.WrittenCount;
        IReadOnlyList<BufferHandle> buffers = _codec.WriteHeader(envelope, _bytes, _gathered);
        long length = _gathered.WrittenCount - before;
        foreach (BufferHandle buffer in buffers)
        {
            ReadOnlySpan<byte> bytes = _bytes.BytesOf(buffer);
            length += bytes.Length;
            if (outlet is not null && bytes.Length >= TensorPlace.TensorBytesMin)
            {
                PutAside(buffer, bytes, outlet, stream);
            }
            else if (bytes.Length < LargeBufferBytes)
            {
                _gathered.Write(bytes);
            }
            else
            {
                Flush(stream);
                stream.Write(bytes);
            }
        }

        return length;
    }

    /// <summary>Whether <see cref="Write"/> only gathers the envelope's frame if it is called next, and writes nothing yet.</summary>
    public bool OnlyGathers(Envelope envelope, Stream stream)
    {
        (bool first, bool second) = (IsLarge(envelope.First), IsLarge(envelope.Second));
        return !(first && second)
            && (!(first || second) || (stream is ITensorOutlet outlet && outlet.HasRoomFor(first ? envelope.First : envelope.Second, pool)));
    }

    /// <summary>Writes what is gathered.</summary>
    public void Flush(Stream stream)
    {
        stream.Write(_gathered.WrittenSpan);
        _gathered.ResetWrittenCount();
    }

    public void Dispose() => _codec.Dispose();

    private bool IsLarge(BufferHandle buffer) => pool.Length(buffer) >= LargeBufferBytes;

    private void PutAside(BufferHandle buffer, ReadOnlySpan<byte> tensor, ITensorOutlet outlet, Stream stream)
    {
        TensorPlace place = outlet.Put(buffer, pool);
        place.Write(_gathered.GetSpan(TensorPlace.EncodedBytes));
        _gathered.Advance(TensorPlace.EncodedBytes);
        if (place.IsInStream)
        {
            Flush(stream);
            stream.Write(tensor);
        }
    }
}
