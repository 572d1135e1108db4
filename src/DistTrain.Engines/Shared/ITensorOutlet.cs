using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>A way for large tensors beside a stream: the stream says where each lies (<see cref="TensorPlace"/>), or has its bytes where this way is full. The writing
/// side; one thread.</summary>
internal interface ITensorOutlet
{
    /// <summary>Puts a tensor aside. Never blocks; throws <see cref="IOException"/> or <see cref="ObjectDisposedException"/> when the other side cannot be trusted or this way
    /// is closed.</summary>
    /// <param name="tensor">The tensor, which nobody writes any more.</param>
    /// <param name="pool">Whose it is.</param>
    /// <returns>Where it lies, or that its bytes must follow in the stream.</returns>
    TensorPlace Put(BufferHandle tensor, BufferPool pool);

    /// <summary>Whether <see cref="Put"/> puts the tensor aside if it is called next.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="pool">Whose it is.</param>
    bool HasRoomFor(BufferHandle tensor, BufferPool pool);
}
