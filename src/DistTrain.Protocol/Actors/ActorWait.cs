namespace DistTrain.Protocol.Actors;

/// <summary>What an actor is in the middle of, or waits for.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Step">Training step whose rows it is about, from 1; 0 where it is about none.</param>
/// <param name="MicroBatch">From 0.</param>
public readonly record struct ActorWait(WaitKind Kind, long Step = 0, int MicroBatch = 0)
{
    /// <summary>Nothing to do.</summary>
    public static ActorWait Released { get; } = new(WaitKind.Released);
}
