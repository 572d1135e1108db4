using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Tracing;

/// <summary>A message that arrived.</summary>
/// <param name="Id">Counts the messages of a run; both copies of a doubled one have the same.</param>
/// <param name="From">Sender.</param>
/// <param name="To">Receiver.</param>
/// <param name="SentNanoseconds">Since the run's start, on the engine's clock.</param>
/// <param name="ReceivedNanoseconds">When it was put before the receiver.</param>
/// <param name="Bytes">Bytes of its tensors.</param>
/// <param name="Type">The tag of its type.</param>
/// <param name="Step">The step that it is about; 0 where it is about none.</param>
public readonly record struct TraceMessage(
    long Id, ActorId From, ActorId To, long SentNanoseconds, long ReceivedNanoseconds, long Bytes, string Type, long Step);
