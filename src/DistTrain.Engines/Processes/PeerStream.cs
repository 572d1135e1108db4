using System.Buffers.Binary;
using System.Net.Sockets;

namespace DistTrain.Engines.Processes;

/// <summary>The stream from one of a run's processes to another.</summary>
/// <param name="address">The other's socket.</param>
/// <param name="token">The run's token.</param>
/// <param name="process">This process's number.</param>
internal sealed class PeerStream(string address, byte[] token, int process)
{
    private readonly UnixDomainSocketEndPoint _address = new(address);
    private readonly byte[] _greeting = Greeting(token, process);

    /// <summary>What a connection starts with: the token, then who opens it.</summary>
    public static byte[] Greeting(byte[] token, int process)
    {
        byte[] greeting = new byte[ProcessesLimits.TokenBytes + sizeof(int)];
        token.CopyTo(greeting, 0);
        BinaryPrimitives.WriteInt32LittleEndian(greeting.AsSpan(ProcessesLimits.TokenBytes), process);
        return greeting;
    }

    /// <summary>Connects; throws <see cref="SocketException"/> when the other process is not there.</summary>
    public Stream Connect(CancellationToken ending)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(_address);
            socket.Send(_greeting);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
