using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Wire;

/// <summary>Gives the bytes of buffers that leave with a message.</summary>
public interface IBufferBytes
{
    /// <summary>The buffer's little-endian values.</summary>
    ReadOnlySpan<byte> BytesOf(BufferHandle buffer);
}
