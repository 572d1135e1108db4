using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Clients;

/// <summary>What a client asks nodes that it does not train on.</summary>
internal static class ClusterQuestions
{
    private static readonly TimeSpan AnswerFor = TimeSpan.FromSeconds(5);

    /// <summary>What the first node that answers says of its cluster; null when none does.</summary>
    public static StatusReport? Status(ActorSystem system, ClusterTarget target) =>
        target.Seeds.Select(seed => StatusBytes(system, target.SystemOf(seed))).FirstOrDefault(report => report is not null) is byte[] bytes
            ? JsonSerializer.Deserialize(bytes, NodeJson.Default.StatusReport)
            : null;

    /// <summary>What a node says of its cluster, as JSON; null when it does not answer.</summary>
    public static byte[]? StatusBytes(ActorSystem system, string address) => Ask<ClusterStatus>(system, address, new AskStatus())?.Report;

    /// <summary>A node's answer; null when it gives none in time.</summary>
    public static T? Ask<T>(ActorSystem system, string address, ClusterMessage question)
        where T : class
    {
        try
        {
            return system.ActorSelection($"{address}/user/{NodeActor.Name}").Ask<T>(question, AnswerFor).GetAwaiter().GetResult();
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
