using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Wire;

/// <summary>Takes the buffers that arrive with a message.</summary>
public interface IBufferSink
{
    /// <summary>Takes a buffer of so many bytes, of which the caller fills all. Its reference belongs to whoever reads the
    /// frame.</summary>
    Span<byte> Allocate(int length, out BufferHandle buffer);
}
