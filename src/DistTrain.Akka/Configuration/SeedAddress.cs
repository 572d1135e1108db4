using System.Globalization;
using System.Net;
using DistTrain.Numerics;

namespace DistTrain.Akka.Configuration;

/// <summary>A node's address as people write it: <c>host:port</c>.</summary>
internal static class SeedAddress
{
    /// <summary>Takes an address apart; false when it is none.</summary>
    public static bool TryParse(string text, out string host, out int port)
    {
        int colon = text.LastIndexOf(':');
        host = colon > 0 ? text[..colon].Trim('[', ']') : "";
        port = 0;
        return host.Length > 0
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
            && port is > 0 and <= IPEndPoint.MaxPort;
    }

    /// <summary>Whether a host is this machine alone.</summary>
    public static bool IsLoopback(string host) =>
        host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>A node's actor system as Akka writes it.</summary>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="seed">The node, as <c>host:port</c>.</param>
    /// <param name="tls">Whether its control messages go through TLS.</param>
    public static string SystemOf(string cluster, string seed, bool tls = false)
    {
        if (!TryParse(seed, out string host, out int port))
        {
            throw new InvalidInputException($"'{seed}' is no address; expected host:port");
        }

        string shown = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return $"akka.{(tls ? "ssl." : "")}tcp://{cluster}@{shown}:{port}";
    }
}
