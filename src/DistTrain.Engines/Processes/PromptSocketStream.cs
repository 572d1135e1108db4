using System.Net.Sockets;
using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another, which owns its socket.</summary>
internal class PromptSocketStream(Socket socket) : NetworkStream(socket, ownsSocket: true), IPromptStream
{
    // A socket within the system counts as writable while a quarter of its buffer is used at most (Linux) or has so much room (elsewhere).
    private readonly int _bytesMax = socket.SendBufferSize / 4;

    /// <inheritdoc/>
    public bool TakesAtOnce(int bytes) => bytes <= _bytesMax && Socket.Poll(0, SelectMode.SelectWrite);
}
