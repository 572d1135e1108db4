namespace DistTrain.Protocol.Wire;

/// <summary>Gives the bytes that follow a frame's header.</summary>
public interface IPayloadSource
{
    /// <summary>Fills all of a buffer with the next bytes; throws <see cref="IOException"/> when the wire ends before.</summary>
    void Fill(Span<byte> destination);
}
