using System.Buffers;
using System.Buffers.Binary;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Wire;

/// <summary>
/// Frames of local wires, as in safetensors: bytes that follow (uint32, little-endian), bytes of the header (uint32), a
/// UTF-8 JSON header with tag,
/// envelope and message fields, then the buffers' raw little-endian bytes. A codec keeps its scratch memory and serves one
/// thread at a time.
/// </summary>
public sealed class FrameCodec : IDisposable
{
    private readonly JsonHeaderWriter _writer = new();
    private readonly JsonHeaderReader _reader = new();

    /// <summary>Appends an envelope's frame.</summary>
    public void Write(Envelope envelope, IBufferBytes source, IBufferWriter<byte> output)
    {
        foreach (BufferHandle buffer in WriteHeader(envelope, source, output))
        {
            output.Write(source.BytesOf(buffer));
        }
    }

    /// <summary>Appends a frame up to the end of its header, for whoever sends large buffers from where they are.</summary>
    /// <returns>The buffers whose bytes follow, in this order; valid until the next frame is written.</returns>
    public IReadOnlyList<BufferHandle> WriteHeader(Envelope envelope, IBufferBytes source, IBufferWriter<byte> output)
    {
        _writer.Write(envelope, source);
        int header = _writer.Header.Length;
        long frame = WireLimits.PrefixBytes + header + _writer.PayloadBytes;
        InvariantException.Require(
            frame <= WireLimits.FrameBytesMax && header <= WireLimits.HeaderBytesMax, "A slice and a topology fit in a frame.");
        Span<byte> prefix = output.GetSpan(WireLimits.PrefixBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(prefix, (uint)(frame - sizeof(uint)));
        BinaryPrimitives.WriteUInt32LittleEndian(prefix[sizeof(uint)..], (uint)header);
        output.Advance(WireLimits.PrefixBytes);
        output.Write(_writer.Header);
        return _writer.Buffers;
    }

    /// <summary>Reads a whole frame. Nothing is allocated in the sink unless all of it is right.</summary>
    /// <exception cref="FrameException">The bytes are no frame.</exception>
    public void Read(ReadOnlySpan<byte> frame, IBufferSink sink, out Envelope envelope)
    {
        int length = FrameLength(frame);
        FrameException.Require(frame.Length == length, $"the frame says that it has {length} bytes, and there are {frame.Length}");
        uint header = BinaryPrimitives.ReadUInt32LittleEndian(frame[sizeof(uint)..]);
        ReadOnlySpan<byte> body = frame[WireLimits.PrefixBytes..];
        FrameException.Require(
            header <= body.Length && header <= WireLimits.HeaderBytesMax,
            $"the header says that it has {header} bytes, and {Math.Min(body.Length, WireLimits.HeaderBytesMax)} are possible");
        ReadOnlySpan<byte> payload = body[(int)header..];
        _reader.Parse(body[..(int)header], payload.Length);
        envelope = _reader.Take(payload, sink);
    }

    /// <summary>Reads a frame whose buffers are still on the wire: they go to the sink's memory without a detour.</summary>
    /// <param name="header">The header alone.</param>
    /// <param name="payloadBytes">Bytes that follow it.</param>
    /// <param name="payload">Gives these bytes; asked only when all of the header is right.</param>
    /// <param name="sink">Takes the buffers; what it has given out is the caller's business if <paramref name="payload"/> throws.</param>
    /// <param name="envelope">The envelope.</param>
    /// <exception cref="FrameException">The bytes are no header of such a frame.</exception>
    public void Read(ReadOnlySpan<byte> header, int payloadBytes, IPayloadSource payload, IBufferSink sink, out Envelope envelope)
    {
        ArgumentNullException.ThrowIfNull(payload);
        _reader.Parse(header, payloadBytes);
        envelope = _reader.Take(payload, sink);
    }

    /// <summary>The length of the whole frame that starts with these bytes, for whoever takes frames off a stream.</summary>
    /// <param name="start">At least <see cref="WireLimits.PrefixBytes"/> bytes.</param>
    /// <exception cref="FrameException">No frame is so short or so long.</exception>
    public static int FrameLength(ReadOnlySpan<byte> start)
    {
        FrameException.Require(
            start.Length >= WireLimits.PrefixBytes, $"a frame has at least {WireLimits.PrefixBytes} bytes, and there are {start.Length}");
        long length = sizeof(uint) + (long)BinaryPrimitives.ReadUInt32LittleEndian(start);
        FrameException.Require(
            length is >= WireLimits.PrefixBytes and <= WireLimits.FrameBytesMax,
            $"a frame has {WireLimits.PrefixBytes} to {WireLimits.FrameBytesMax} bytes, and this one says {length}");
        return (int)length;
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();
}
