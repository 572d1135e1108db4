using System.Net.Sockets;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another, with shared memory beside it.</summary>
internal sealed class LendingStream(Socket socket, TensorLender lender) : PromptSocketStream(socket), ITensorOutlet
{
    /// <inheritdoc/>
    public TensorPlace Put(BufferHandle tensor, BufferPool pool) => lender.Put(tensor, pool);

    /// <inheritdoc/>
    public bool HasRoomFor(BufferHandle tensor, BufferPool pool) => lender.HasRoomFor(tensor, pool);

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            lender.Dispose();
        }
    }
}
