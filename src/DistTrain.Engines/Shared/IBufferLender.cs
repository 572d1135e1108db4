namespace DistTrain.Engines.Shared;

/// <summary>Whose memory a buffer lies in that a pool has not made itself.</summary>
internal interface IBufferLender
{
    /// <summary>The last reference is gone. Any thread.</summary>
    /// <param name="slot">What the buffer was lent as.</param>
    void GiveBack(int slot);
}
