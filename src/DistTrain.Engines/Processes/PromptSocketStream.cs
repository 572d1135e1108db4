using System.Net.Sockets;
using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another, which owns its socket.</summary>
internal class PromptSocketStream(Socket socket) : NetworkStream(socket, ownsSocket: true), IPromptStream
{
    // On Linux a socket within the system counts as writable while at most a quarter of its buffer is used. What it means elsewhere was not tried.
    private readonly int _bytesMax = OperatingSystem.IsLinux() ? socket.SendBufferSize / 4 : 0;

    /// <inheritdoc/>
    public bool TakesAtOnce(int bytes) => bytes <= _bytesMax && Socket.Poll(0, SelectMode.SelectWrite);
}
