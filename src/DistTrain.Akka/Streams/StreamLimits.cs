namespace DistTrain.Akka.Streams;

/// <summary>Every limit of the data plane, with its reason.</summary>
internal static class StreamLimits
{
    /// <summary>Bytes of a ticket: 256 bits cannot be guessed.</summary>
    public const int TicketBytes = 32;

    /// <summary>How long a ticket is good: it is redeemed at once.</summary>
    public static readonly TimeSpan TicketLife = TimeSpan.FromSeconds(30);

    /// <summary>Tickets that are not redeemed: more would be a peer that collects them.</summary>
    public const int TicketsMax = 4096;

    /// <summary>How long a new connection may take for its handshake.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Connections whose handshake is not done.</summary>
    public const int StrangersMax = 256;

    /// <summary>Connections in the kernel's queue that wait to be accepted.</summary>
    public const int Backlog = 256;

    /// <summary>How long to wait for a ticket: a round trip by Akka.Remote.</summary>
    public static readonly TimeSpan TicketTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait before a stream is tried again: a node that comes back should be found soon, and one that is gone leaves the
    /// table.</summary>
    public static readonly TimeSpan ReconnectCap = TimeSpan.FromMilliseconds(250);

    /// <summary>Bytes of a chunk by Akka.Remote, envelope included: from 85,000 bytes on every copy on its way is on the large-object heap,
    /// and throughput falls to a third.</summary>
    public const int ChunkBytes = (64 << 10) - 1024;

    /// <summary>Silence of the receiver after which a stream of chunks counts as lost: far more than a full window takes.</summary>
    public static readonly TimeSpan ChunkTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Buffer bytes up to which a message goes by Akka.Remote as it is: its frame stays below 64 KiB.</summary>
    public const int ControlBufferBytesMax = 32 << 10;

    /// <summary>Actors up to which a begin-epoch goes by Akka.Remote: an incarnation takes at most five bytes.</summary>
    public const int ControlActorsMax = 8 << 10;
}
