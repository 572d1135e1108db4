using System.Buffers.Binary;
using System.Net.Sockets;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another.</summary>
/// <param name="address">The other's socket.</param>
/// <param name="token">The run's token.</param>
/// <param name="process">This process's number.</param>
/// <param name="arena">Where this process has its large buffers; null for nowhere that others see.</param>
/// <param name="sharedBytes">Bytes of shared memory for large tensors; 0 for none.</param>
internal sealed class PeerStream(string address, byte[] token, int process, SharedArena? arena = null, long sharedBytes = ProcessesLimits.SharedBytes)
{
    /// <summary>Bytes of a greeting.</summary>
    public const int GreetingBytes = ProcessesLimits.TokenBytes + sizeof(int) + (2 * SharedMemoryPlace.EncodedBytes);

    private readonly UnixDomainSocketEndPoint _address = new(address);

    /// <summary>What a connection starts with: the token, then who opens it, then where large tensors lie that are copied, and those that are not.</summary>
    public static byte[] Greeting(byte[] token, int process, SharedMemoryPlace place = default, SharedMemoryPlace arena = default)
    {
        byte[] greeting = new byte[GreetingBytes];
        token.CopyTo(greeting, 0);
        BinaryPrimitives.WriteInt32LittleEndian(greeting.AsSpan(ProcessesLimits.TokenBytes), process);
        place.Write(greeting.AsSpan(ProcessesLimits.TokenBytes + sizeof(int)));
        arena.Write(greeting.AsSpan(ProcessesLimits.TokenBytes + sizeof(int) + SharedMemoryPlace.EncodedBytes));
        return greeting;
    }

    /// <summary>Connects; throws <see cref="SocketException"/> when the other process is not there.</summary>
    public Stream Connect(CancellationToken ending)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        SharedMemory? memory = null;
        try
        {
            socket.Connect(_address);
            arena?.Sweep();
            memory = sharedBytes == 0 ? null : SharedMemory.TryCreate(sharedBytes);
            socket.Send(Greeting(token, process, memory?.Place ?? default, arena?.Place ?? default));
            return memory is null ? new PromptSocketStream(socket) : new LendingStream(socket, new TensorLender(memory, arena));
        }
        catch
        {
            memory?.Dispose();
            socket.Dispose();
            throw;
        }
    }
}
