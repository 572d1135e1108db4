using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>
/// Something that one actor tells another. A closed hierarchy: every message is a sealed record whose primary constructor
/// declares its
/// fields once, for every wire format; a test checks each.
/// </summary>
public abstract record Message
{
    private protected Message()
    {
    }

    /// <summary>
    /// Whether its acknowledgement may wait for something that goes back anyway. True of what every step brings: the next step brings the answer. Not of what
    /// somebody waits to have acknowledged.
    /// </summary>
    internal virtual bool MayBeAcknowledgedLate => false;

    /// <summary>The first buffer that it lends, or none.</summary>
    internal virtual BufferHandle FirstBuffer => BufferHandle.None;

    /// <summary>The second buffer that it lends, or none.</summary>
    internal virtual BufferHandle SecondBuffer => BufferHandle.None;
}

/// <summary>The name of a message type on the wire. It never changes; a new meaning takes a new tag.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class MessageTagAttribute(string tag) : Attribute
{
    /// <summary>Kebab-case, unique.</summary>
    public string Tag { get; } = tag;
}
