using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>Which buffers a message lends: the host counts one reference on each per queued delivery, the sender one while
/// it may retry.</summary>
public static class MessageBuffers
{
    /// <summary>The first buffer, or none.</summary>
    public static BufferHandle First(Message message) => message.FirstBuffer;

    /// <summary>The second buffer, or none.</summary>
    public static BufferHandle Second(Message message) => message.SecondBuffer;
}
