using System.Net.Sockets;
using DistTrain.Akka.Security;

namespace DistTrain.Akka.Streams;

/// <summary>Opens a TCP stream of tensors to another node.</summary>
/// <param name="secret">The cluster's.</param>
/// <param name="tls">Certificates; null for none.</param>
/// <param name="window">The credit window in bytes.</param>
internal sealed class StreamConnector(ClusterSecret secret, TlsFiles? tls, long window)
{
    /// <summary>Opens it; throws <see cref="IOException"/> or <see cref="SocketException"/> when that is not possible now.</summary>
    public Stream Open(string host, int port, byte[] ticket, CancellationToken ending)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using (CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(ending))
            {
                limit.CancelAfter(StreamLimits.HandshakeTimeout);
                socket.ConnectAsync(host, port, limit.Token).AsTask().GetAwaiter().GetResult();
            }

            socket.ReceiveTimeout = socket.SendTimeout = (int)StreamLimits.HandshakeTimeout.TotalMilliseconds;
            Stream bare = new NetworkStream(socket, ownsSocket: true);
            Stream stream = tls is null ? bare : tls.Connect(bare, host);
            StreamHandshake.Connect(stream, secret, ticket);
            socket.ReceiveTimeout = socket.SendTimeout = 0;
            return new CreditStream(stream, window);
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
            throw new IOException($"{host}:{port} did not answer");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
