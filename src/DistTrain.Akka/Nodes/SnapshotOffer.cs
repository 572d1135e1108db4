using Akka.Actor;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Nodes;

/// <summary>Has a run's other nodes keep a file of a snapshot too, so that the loss of a node loses no snapshot.</summary>
internal static class SnapshotOffer
{
    /// <summary>How long a node may take: far more than a slice needs, for what is behind waits meanwhile.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Offers a file to all; returns when each has it, or will not. Whoever is cut off meanwhile is suspected by others.</summary>
    public static void ToPeers(NodeRun run, long step, string name)
    {
        Task<PartHeld>[] offers = [.. run.Peers.Select(peer => peer.Actor.Ask<PartHeld>(new PartKept(run.Job.RunId, step, name), Timeout))];
        try
        {
            Task.WaitAll(offers);
        }
        catch (AggregateException silent) when (silent.InnerExceptions.All(inner => inner is AskTimeoutException or TaskCanceledException))
        {
            // A snapshot that fewer nodes keep is still one.
        }
    }
}
