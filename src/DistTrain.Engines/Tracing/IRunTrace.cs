using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Tracing;

/// <summary>
/// Hears what a run spends its time on. The simulated engine calls it from one thread in the order in which things end; engines with several threads call it
/// from all of them at once.
/// </summary>
public interface IRunTrace
{
    /// <summary>
    /// Whether it wants to hear anything now. Engines with several threads ask before each call, from any thread, so that a trace which nobody reads costs a
    /// run nothing; it may be called all the same.
    /// </summary>
    bool IsListening => true;

    /// <summary>A job ended whose actor still lived.</summary>
    void OnSpan(in TraceSpan span);

    /// <summary>A message arrived; lost ones are not told of, and one that arrives twice is told of twice.</summary>
    void OnMessage(in TraceMessage message);

    /// <summary>
    /// What an actor does or waits for from now on, told after everything that it takes in. An actor that dies is released and holds nothing.
    /// </summary>
    /// <param name="actor">Whose.</param>
    /// <param name="nanoseconds">Since the run's start.</param>
    /// <param name="wait">What it waits for.</param>
    /// <param name="storedBytes">Of the activations that a layer actor holds: inputs, outputs and what its backward passes need; the simulated engine alone
    /// tells them, others 0.</param>
    void OnWait(ActorId actor, long nanoseconds, ActorWait wait, long storedBytes);
}
