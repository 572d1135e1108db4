using System.Net;
using System.Net.Sockets;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Security;
using DistTrain.Numerics;

namespace DistTrain.Akka.Clients;

/// <summary>Which cluster a client talks to, and how.</summary>
/// <param name="Cluster">Its name.</param>
/// <param name="Seeds">Nodes, as <c>host:port</c>.</param>
/// <param name="Host">The host by which nodes reach the client.</param>
/// <param name="Datasets">The folder that data files are named from.</param>
/// <param name="Tls">Certificates; null for none.</param>
/// <param name="Secret">The cluster's secret.</param>
internal sealed record ClusterTarget(string Cluster, IReadOnlyList<string> Seeds, string Host, string Datasets, TlsFiles? Tls, ClusterSecret Secret)
{
    /// <summary>Takes what a user gave: addresses, or the path of a <c>cluster.conf</c>. Throws <see cref="InvalidInputException"/>.</summary>
    /// <param name="given">As given.</param>
    /// <param name="datasets">The datasets folder as given; null for the configuration's, or the working folder.</param>
    /// <param name="workingFolder">The user's folder.</param>
    public static ClusterTarget Of(string given, string? datasets, string workingFolder)
    {
        string file = Path.GetFullPath(given, workingFolder);
        ClusterSecret secret = ClusterSecret.FromEnvironment();
        if (File.Exists(file))
        {
            NodeSettings settings = ClusterFile.Read(file, given);
            string[] own = [.. settings.Seeds.Append($"{settings.Host}:{settings.Port}").Distinct(StringComparer.Ordinal)];
            string folder = datasets is null ? settings.DatasetsFolder : Path.GetFullPath(datasets, workingFolder);
            return new ClusterTarget(settings.Cluster, own, HostTowards(own[0]), folder, TlsOf(settings), secret);
        }

        string[] seeds = given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? wrong = Array.Find(seeds, seed => !SeedAddress.TryParse(seed, out _, out _));
        if (wrong is not null || seeds.Length == 0)
        {
            throw new InvalidInputException($"--cluster: '{wrong ?? given}' is no address and no file; expected host:port of a node, several with commas, or a cluster.conf");
        }

        return new ClusterTarget("disttrain", seeds, HostTowards(seeds[0]), Path.GetFullPath(datasets ?? ".", workingFolder), null, secret);
    }

    /// <summary>A node's actor system as Akka writes it.</summary>
    public string SystemOf(string seed) => SeedAddress.SystemOf(Cluster, seed, Tls is not null);

    /// <summary>The certificates that a configuration names; null for none.</summary>
    public static TlsFiles? TlsOf(NodeSettings settings) =>
        settings.Tls is (string certificate, string key, string authority) ? TlsFiles.Read(certificate, key, authority) : null;

    /// <summary>This machine's address on the way to another: what the kernel would put into a datagram, of which none is sent.</summary>
    private static string HostTowards(string seed)
    {
        if (!SeedAddress.TryParse(seed, out string host, out int port) || SeedAddress.IsLoopback(host))
        {
            return "127.0.0.1";
        }

        try
        {
            using Socket socket = new(SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(host, port);
            IPAddress local = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return (local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local).ToString();
        }
        catch (SocketException unknown)
        {
            throw new InvalidInputException($"--cluster: {host} cannot be reached ({unknown.Message}); expected the address of a node", unknown);
        }
    }
}
