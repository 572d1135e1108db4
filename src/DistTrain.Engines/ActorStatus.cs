using DistTrain.Protocol.Actors;

namespace DistTrain.Engines;

/// <summary>An actor at one moment of a run.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Name">Its name in scenarios and traces.</param>
/// <param name="Place">Where it runs, in words.</param>
/// <param name="Incarnation">From 1; 0 while nothing lives there.</param>
/// <param name="MailboxDepth">Stimuli that wait for it; null where the engine does not know.</param>
/// <param name="Dropped">Messages that its present incarnation dropped as stale or doubled; null where the engine does not know.</param>
public sealed record ActorStatus(ActorId Actor, string Name, string Place, int Incarnation, int? MailboxDepth, long? Dropped);
