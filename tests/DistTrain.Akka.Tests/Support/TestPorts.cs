using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DistTrain.Akka.Tests.Support;

/// <summary>Ports for nodes of tests.</summary>
internal static class TestPorts
{
    private const int First = 10_000;

    private static readonly int End = FirstOfConnections();

    // Processes beside this one begin elsewhere.
    private static int s_next = Environment.ProcessId * 64;

    /// <summary>
    /// Ports that are free and stay so: the system gives none of them to a connection that goes out. One that it had given out itself could be the near end of another
    /// node's connection by the time its own node listens.
    /// </summary>
    public static int[] Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    private static int Next()
    {
        for (int tries = 0; tries < End - First; tries++)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref s_next) % (uint)(End - First));
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }

        throw new InvalidOperationException($"no port from {First} to {End - 1} is free");
    }

    private static int FirstOfConnections()
    {
        const string file = "/proc/sys/net/ipv4/ip_local_port_range";
        int first = File.Exists(file) ? int.Parse(File.ReadAllText(file).Split('\t', ' ')[0], CultureInfo.InvariantCulture) : 32_768;
        return first > First + 1000 ? first : 32_768;
    }
}
