namespace DistTrain.Protocol.Jobs;

/// <summary>
/// Names a buffer of the host's pool. A machine never sees the values. The generation tells a recycled slot's new buffer from its
/// old one, so that a handle kept too long is caught and not silently reused.
/// </summary>
/// <param name="Slot">Index in the pool.</param>
/// <param name="Generation">From 1; 0 is no buffer.</param>
public readonly record struct BufferHandle(int Slot, int Generation)
{
    /// <summary>No buffer.</summary>
    public static BufferHandle None => default;

    /// <summary>Whether this names no buffer.</summary>
    public bool IsNone => Generation == 0;
}
