using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;

namespace DistTrain.Akka.Nodes;

/// <summary>Who hears what the actors of a run on this node want of the cluster. Called from compute threads; must not block.</summary>
internal interface INodeEvents
{
    /// <summary>The coordinator, which is here, wants an actor started, wherever that is.</summary>
    void OnSpawn(long run, ActorId actor, int incarnation);

    /// <summary>A report.</summary>
    void OnReport(long run, Report report);

    /// <summary>The coordinator's part of a snapshot is to be kept on every node.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="progress">The coordinator's part.</param>
    /// <param name="kept">Called when it is, or when no more nodes will; with a problem when it is nowhere.</param>
    void OnSnapshot(long run, CoordinatorProgress progress, Action<string?> kept);

    /// <summary>Something that is worth a line of the log.</summary>
    void OnNotice(string text);

    /// <summary>An actor here let an exception through.</summary>
    void OnFailure(long runId, string problem, bool isInput);
}
