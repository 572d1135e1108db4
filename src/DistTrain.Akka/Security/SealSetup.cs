using Akka.Actor;
using Akka.Actor.Setup;

namespace DistTrain.Akka.Security;

/// <summary>Hands the secret to the transport, which Akka makes by itself.</summary>
/// <param name="secret">The cluster's secret.</param>
/// <param name="notice">Hears, once for each reason, that a connection was refused.</param>
/// <param name="log">Hears what Akka has to say.</param>
internal sealed class SealSetup(ClusterSecret secret, Action<string> notice, Action<string> log) : Setup
{
    /// <summary>How long a new association may take to prove itself: both ends answer at once.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Associations whose handshake is not done: a cluster of hundreds that starts at once stays below.</summary>
    public const int StrangersMax = 256;

    private const int ReasonsMax = 64;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _told = [];

    /// <summary>The secret.</summary>
    public ClusterSecret Secret => secret;

    /// <summary>Certificates, where associations must show one of the cluster's CA; null for none.</summary>
    public TlsFiles? Tls { get; set; }

    /// <summary>Hears what Akka has to say.</summary>
    public Action<string> Log => log;

    /// <summary>Connections refused so far.</summary>
    public int Refusals { get; private set; }

    /// <summary>A connection was refused. Whoever knocks often must not fill the log.</summary>
    public void Refused(Address remote, string reason)
    {
        lock (_lock)
        {
            Refusals++;
            if (_told.Count < ReasonsMax && _told.Add(reason))
            {
                notice($"refused a connection with {remote.Host}: {reason}");
            }
        }
    }
}
