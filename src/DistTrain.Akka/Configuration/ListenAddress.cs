using System.Net;
using System.Net.Sockets;
using DistTrain.Numerics;

namespace DistTrain.Akka.Configuration;

/// <summary>Where a node listens.</summary>
internal static class ListenAddress
{
    /// <summary>The address that a node binds.</summary>
    /// <exception cref="SocketException">The name resolves to none.</exception>
    public static IPAddress Of(NodeSettings settings) =>
        IPAddress.TryParse(settings.BindHost, out IPAddress? address) ? address : Dns.GetHostAddresses(settings.BindHost)[0];

    /// <summary>Binds a node's ports for a moment. Akka.NET would say the same of its own in five exceptions, one in the other, after it has started half a system.</summary>
    /// <param name="settings">The node's settings.</param>
    /// <param name="file">The settings' file as the user wrote it.</param>
    /// <exception cref="InvalidInputException">The address is not this machine's, or somebody else listens there.</exception>
    public static void Check(NodeSettings settings, string file)
    {
        IPAddress address = Resolve(settings, file);
        TryBind(address, settings.Port, "node.port", settings, file);
        if (settings.DataPlane == DataPlane.Tcp)
        {
            TryBind(address, settings.StreamPort, "data-plane.port", settings, file);
        }
    }

    private static IPAddress Resolve(NodeSettings settings, string file)
    {
        try
        {
            return Of(settings);
        }
        catch (SocketException)
        {
            throw new InvalidInputException(
                $"{file}: disttrain.node.bind-host: '{settings.BindHost}' resolves to no address; expected an address of this machine, or 0.0.0.0 for all");
        }
    }

    private static void TryBind(IPAddress address, int port, string key, NodeSettings settings, string file)
    {
        using Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
        }
        catch (SocketException refused)
        {
            throw new InvalidInputException(refused.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"{file}: disttrain.{key}: {port} on {settings.BindHost} is in use; expected a port that nobody has (ss -tanp shows who has it)",
                SocketError.AccessDenied => $"{file}: disttrain.{key}: {port} may not be listened on by this user; expected a port from 1024 on",
                _ => $"{file}: disttrain.node.bind-host: {settings.BindHost} is no address of this machine; expected one that it has, or 0.0.0.0 for all",
            });
        }
    }
}
