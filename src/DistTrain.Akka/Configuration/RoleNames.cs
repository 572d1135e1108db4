using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Configuration;

/// <summary>What a node may host.</summary>
internal static class RoleNames
{
    /// <summary>The coordinator.</summary>
    public const string Coordinator = "coordinator";

    /// <summary>Layer actors.</summary>
    public const string Worker = "worker";

    /// <summary>Shards.</summary>
    public const string ParameterServer = "parameter-server";

    /// <summary>Roles by their names.</summary>
    public static NodeRoles FlagsOf(IEnumerable<string> names) => names.Aggregate(NodeRoles.None, (roles, name) => roles | name switch
    {
        Coordinator => NodeRoles.Coordinator,
        Worker => NodeRoles.Worker,
        ParameterServer => NodeRoles.ParameterServer,
        _ => NodeRoles.None,
    });

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Coordinator, Worker, ParameterServer];
}
