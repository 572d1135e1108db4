using System.Net.Sockets;
using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another, with shared memory beside it.</summary>
internal sealed class RingStream(Socket socket, RingWriter ring) : NetworkStream(socket, ownsSocket: true), ITensorOutlet
{
    /// <inheritdoc/>
    public TensorPiece Put(ReadOnlySpan<byte> piece) => ring.Put(piece);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            ring.Dispose();
        }
    }
}
