using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Wire;
using DistTrain.Engines;
using DistTrain.Numerics;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Clients;

/// <summary>Asks the nodes of a cluster how far a run can be resumed that keeps its log there.</summary>
internal static class KeptRunFinder
{
    /// <summary>Nodes that were just started need a while to find one another.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan AgainAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>The last committed step that a run folder's journal can go on from, wherever that is kept; null for none.</summary>
    public static long? LastCommittedStep(string journal, Func<ClusterTarget> target)
    {
        if (RunMarker.Read(journal) is not (long RunId, long Step) marker)
        {
            return Journal.LastCommittedStep(journal);
        }

        ClusterTarget cluster = target();
        using ActorSystem system = SystemConfig.Client(cluster.Host, new SealSetup(cluster.Secret, _ => { }, _ => { }), cluster.Tls);
        return Find(system, cluster, marker.RunId, marker.Step).Step;
    }

    /// <summary>What the newest commit knew. Throws <see cref="InvalidInputException"/> when the nodes that answer keep less than was heard of.</summary>
    public static CoordinatorProgress Find(ActorSystem system, ClusterTarget target, long runId, long heard)
    {
        long start = TimeProvider.System.GetTimestamp();
        using ManualResetEventSlim never = new();
        long found = 0;
        while (TimeProvider.System.GetElapsedTime(start) < Patience)
        {
            CoordinatorProgress newest = Newest(system, target, runId);
            if (newest.Step >= heard)
            {
                return newest;
            }

            found = newest.Step;
            never.Wait(AgainAfter);
        }

        throw new InvalidInputException(
            $"--resume: step {heard} was committed, and the nodes that answer keep the run up to step {found}; "
            + "expected every node that took part, each with the data-dir that it had");
    }

    private static CoordinatorProgress Newest(ActorSystem system, ClusterTarget target, long runId)
    {
        StatusReport? status = ClusterQuestions.Status(system, target);
        KeptRun newest = KeptRun.Nothing;
        foreach (StatusMember member in status?.Members ?? [])
        {
            if (ClusterQuestions.Ask<Kept>(system, member.Address, new FindKept(runId)) is Kept kept)
            {
                newest = KeptRun.Later(newest, JsonSerializer.Deserialize(kept.Run, NodeJson.Default.KeptRun) ?? KeptRun.Nothing);
            }
        }

        return newest.Committed ?? new CoordinatorProgress();
    }
}
