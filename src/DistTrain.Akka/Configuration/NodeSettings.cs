using Akka.Configuration;

namespace DistTrain.Akka.Configuration;

/// <summary>How large tensors travel.</summary>
internal enum DataPlane
{
    /// <summary>One TCP stream per node pair and direction.</summary>
    Tcp,

    /// <summary>Chunks of 64 KiB by Akka.Remote, where only one port is open between nodes.</summary>
    Remote,
}

/// <summary>What <c>cluster.conf</c> says about this node: where it is and what it has, never what is trained.</summary>
internal sealed record NodeSettings
{
    /// <summary>The cluster's name.</summary>
    public required string Cluster { get; init; }

    /// <summary>The host by which others reach this node.</summary>
    public required string Host { get; init; }

    /// <summary>The port of control messages.</summary>
    public required int Port { get; init; }

    /// <summary>The address to listen on.</summary>
    public required string BindHost { get; init; }

    /// <summary>Nodes to join by, as <c>host:port</c>.</summary>
    public required IReadOnlyList<string> Seeds { get; init; }

    /// <summary>What this node may host.</summary>
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>How much it takes beside others.</summary>
    public required int Capacity { get; init; }

    /// <summary>Threads that compute.</summary>
    public required int ComputeThreads { get; init; }

    /// <summary>Folder of what is kept here, absolute.</summary>
    public required string DataFolder { get; init; }

    /// <summary>How many runs that nobody resumed are kept there.</summary>
    public required int KeptRuns { get; init; }

    /// <summary>Folder that data files are named from, absolute.</summary>
    public required string DatasetsFolder { get; init; }

    /// <summary>How large tensors travel.</summary>
    public required DataPlane DataPlane { get; init; }

    /// <summary>The port of streams; 0 for any.</summary>
    public required int StreamPort { get; init; }

    /// <summary>Bytes of a stream that may be on their way.</summary>
    public required long WindowBytes { get; init; }

    /// <summary>Chunks that may be on their way.</summary>
    public required int WindowChunks { get; init; }

    /// <summary>Certificate, key and CA; null for no TLS.</summary>
    public required (string Certificate, string Key, string Authority)? Tls { get; init; }

    /// <summary>Where metrics and traces go; empty for nowhere.</summary>
    public required string TelemetryEndpoint { get; init; }

    /// <summary>Whether they go there by HTTP with Protobuf, and not by gRPC.</summary>
    public required bool TelemetryByHttp { get; init; }

    /// <summary>Akka's own settings, over the defaults here.</summary>
    public required Config Akka { get; init; }
}
