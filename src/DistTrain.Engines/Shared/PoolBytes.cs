using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Shared;

/// <summary>Lets the frame codec read from and write to a pool.</summary>
internal sealed class PoolBytes(BufferPool pool) : IBufferBytes, IBufferSink
{
    public ReadOnlySpan<byte> BytesOf(BufferHandle buffer) => pool.Bytes(buffer);

    public Span<byte> Allocate(int length, out BufferHandle buffer)
    {
        buffer = pool.Rent(length);
        return pool.Bytes(buffer);
    }
}
