using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;

namespace DistTrain.Protocol.Tests.Wire;

/// <summary>Buffers as plain byte arrays.</summary>
internal sealed class ByteBuffers : IBufferBytes, IBufferSink
{
    private readonly List<byte[]> _buffers = [];

    public int Count => _buffers.Count;

    public BufferHandle Add(params byte[] bytes)
    {
        _buffers.Add(bytes);
        return new BufferHandle(_buffers.Count - 1, 1);
    }

    public ReadOnlySpan<byte> BytesOf(BufferHandle buffer) => _buffers[buffer.Slot];

    public Span<byte> Allocate(int length, out BufferHandle buffer)
    {
        buffer = Add(new byte[length]);
        return _buffers[buffer.Slot];
    }
}
