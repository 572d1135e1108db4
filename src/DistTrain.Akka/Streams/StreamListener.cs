using System.Net;
using System.Net.Sockets;
using DistTrain.Akka.Security;
using DistTrain.Protocol.Wire;

namespace DistTrain.Akka.Streams;

/// <summary>
/// Takes streams of tensors from other nodes, each on a thread of its own. A connection that is not of the cluster, or whose bytes are no
/// frame, is closed, and nothing else is.
/// </summary>
internal sealed class StreamListener : IDisposable
{
    private readonly Socket _listener;
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly ClusterSecret _secret;
    private readonly TlsFiles? _tls;
    private readonly TicketOffice _tickets;
    private readonly long _window;
    private readonly Action<long, Stream> _read;
    private readonly Action<string> _refused;
    private int _strangers;
    private bool _ending;

    /// <param name="address">Where to listen; port 0 for any.</param>
    /// <param name="secret">The cluster's.</param>
    /// <param name="tls">Certificates; null for none.</param>
    /// <param name="tickets">What opens a stream.</param>
    /// <param name="window">The credit window in bytes.</param>
    /// <param name="read">Reads a run's stream to its end; called on the stream's thread.</param>
    /// <param name="refused">Hears why a connection was closed.</param>
    public StreamListener(
        IPEndPoint address, ClusterSecret secret, TlsFiles? tls, TicketOffice tickets, long window, Action<long, Stream> read, Action<string> refused)
    {
        (_secret, _tls, _tickets, _window, _read, _refused) = (secret, tls, tickets, window, read, refused);
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(address);
        _listener.Listen(StreamLimits.Backlog);
        new Thread(Accept) { IsBackground = true, Name = "streams" }.Start();
    }

    /// <summary>The port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose()
    {
        lock (_lock)
        {
            _ending = true;
            _listener.Dispose();
            foreach (Socket socket in _open)
            {
                socket.Dispose();
            }
        }
    }

    private void Accept()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = _listener.Accept();
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
                if (_ending)
                {
                    return;
                }

                continue;
            }

            if (Interlocked.Increment(ref _strangers) > StreamLimits.StrangersMax || !TryOpen(socket))
            {
                Interlocked.Decrement(ref _strangers);
                socket.Dispose();
                continue;
            }

            new Thread(() => Serve(socket)) { IsBackground = true, Name = "frames in" }.Start();
        }
    }

    private bool TryOpen(Socket socket)
    {
        lock (_lock)
        {
            return !_ending && _open.Add(socket);
        }
    }

    private void Serve(Socket socket)
    {
        bool isStranger = true;
        try
        {
            socket.NoDelay = true;
            socket.ReceiveTimeout = socket.SendTimeout = (int)StreamLimits.HandshakeTimeout.TotalMilliseconds;
            using Stream bare = new NetworkStream(socket);
            using Stream stream = _tls is null ? bare : _tls.Accept(bare);
            long runId = StreamHandshake.Accept(stream, _secret, _tickets);
            socket.ReceiveTimeout = socket.SendTimeout = 0;
            Interlocked.Decrement(ref _strangers);
            isStranger = false;
            using CreditStream credited = new(stream, _window);
            _read(runId, credited);
        }
        catch (FrameException problem)
        {
            _refused(problem.Message);
        }
        catch (Exception lost) when (lost is SocketException or IOException or ObjectDisposedException)
        {
            // The other node ended the stream, or this one ends; a stranger who said nothing in time is one of them.
            if (isStranger && !_ending)
            {
                _refused(lost.Message);
            }
        }
        finally
        {
            if (isStranger)
            {
                Interlocked.Decrement(ref _strangers);
            }

            lock (_lock)
            {
                _open.Remove(socket);
            }

            socket.Dispose();
        }
    }
}
