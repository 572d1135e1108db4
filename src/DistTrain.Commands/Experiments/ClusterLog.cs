using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Commands.Experiments;

/// <summary>Which runs can keep a log on a cluster, whose nodes have a disk each.</summary>
public static class ClusterLog
{
    /// <summary>Why a run cannot keep one; null where it can.</summary>
    public static string? Problem(RunSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.ParameterServer.Copies > 1)
        {
            return "step and power keep a log for one copy of each shard on a cluster; expected memory with parameter-server.copies: 2, or copies: 1";
        }

        return settings.ParameterServer.Consistency != Consistency.Sync || MethodCatalog.Find(settings.Method.Name) is { Synchronous: false }
            ? "step and power: a log on several machines needs steps that are the same whenever they are made, and asynchronous ones are not; expected memory"
            : null;
    }
}
