using DistTrain.Protocol.Actors;

namespace DistTrain.Engines;

/// <summary>What passed from one actor to another so far.</summary>
/// <param name="From">Sender.</param>
/// <param name="To">Receiver.</param>
/// <param name="Messages">Messages that were sent, those sent again included.</param>
/// <param name="Bytes">Bytes of their tensors.</param>
/// <param name="Lost">Messages that reached nobody: lost on the way, or with nobody living where they arrived.</param>
public sealed record LinkStatus(ActorId From, ActorId To, long Messages, long Bytes, long Lost);
