namespace DistTrain.Akka.Configuration;

/// <summary>What a node may host.</summary>
internal static class NodeRoles
{
    /// <summary>The coordinator.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Layer actors.</summary>
    public const string Worker = "worker";

    /// <summary>Shards.</summary>
    public const string ParameterServer = "parameter-server";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Coordinator, Worker, ParameterServer];
}
