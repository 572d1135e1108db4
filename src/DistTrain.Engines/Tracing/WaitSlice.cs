using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Tracing;

/// <summary>A stretch of a layer actor's time.</summary>
/// <param name="Actor">Whose.</param>
/// <param name="StartNanoseconds">Since the run's start.</param>
/// <param name="EndNanoseconds">Since the run's start.</param>
/// <param name="Share">What it goes to.</param>
/// <param name="Step">Training step that it is about; 0 for none.</param>
/// <param name="MicroBatch">From 0.</param>
public readonly record struct WaitSlice(ActorId Actor, long StartNanoseconds, long EndNanoseconds, TimeShare Share, long Step, int MicroBatch);
