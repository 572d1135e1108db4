namespace DistTrain.Engines.Shared;

/// <summary>
/// A way for large tensors beside a stream: the stream says where the pieces of one lie (<see cref="TensorPiece"/>), or has their bytes where
/// this way is full. The writing side; one thread.
/// </summary>
internal interface ITensorOutlet
{
    /// <summary>Puts a piece aside. Never blocks; throws <see cref="IOException"/> or <see cref="ObjectDisposedException"/> when the other side cannot be trusted or this way
    /// is closed.</summary>
    /// <param name="piece">At most <see cref="TensorPiece.BytesMax"/> bytes.</param>
    /// <returns>Where it lies, or that its bytes must follow in the stream.</returns>
    TensorPiece Put(ReadOnlySpan<byte> piece);
}
