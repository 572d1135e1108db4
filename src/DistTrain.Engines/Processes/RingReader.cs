using DistTrain.Engines.Shared;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>The reading side of a connection's shared memory, or of a connection that has none after all.</summary>
internal sealed class RingReader(SharedMemory? memory) : ITensorInlet, IDisposable
{
    private long _taken;

    /// <inheritdoc/>
    public void Take(in TensorPiece piece, Span<byte> destination)
    {
        if (memory is null)
        {
            throw new FrameException("a piece of a tensor in shared memory, which this connection does not have");
        }

        if (piece.Offset < 0 || piece.Offset > memory.DataBytes - piece.Length || piece.Length != destination.Length || piece.Number != (uint)_taken)
        {
            throw new FrameException(
                $"piece {piece.Number} of {piece.Length} bytes at {piece.Offset} of {memory.DataBytes} bytes of shared memory; expected piece {(uint)_taken}");
        }

        memory.Data(piece.Offset, piece.Length).CopyTo(destination);
        memory.Taken = ++_taken;
    }

    public void Dispose() => memory?.Dispose();
}
