using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Takes connections of the run's other processes and reads frames off them. A connection that does not show the token, or whose bytes
/// are no frame, is closed, and nothing else is.
/// </summary>
internal sealed class PeerListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _open = [];
    private readonly byte[] _token;
    private readonly Placement _placement;
    private readonly int _process, _actors;
    private readonly BufferPool _pool;
    private readonly Action<Envelope> _deliver;
    private readonly Action<string> _refused;
    private int _strangers;
    private bool _ending;

    /// <param name="address">The socket; one of that name from before is replaced.</param>
    /// <param name="token">The run's token.</param>
    /// <param name="placement">Who may speak for whom.</param>
    /// <param name="process">This process's number.</param>
    /// <param name="actors">Actors of the run.</param>
    /// <param name="pool">Takes the buffers.</param>
    /// <param name="deliver">Takes envelopes, whose buffers carry one reference each; called from one thread per connection.</param>
    /// <param name="refused">Hears why a connection was closed.</param>
    public PeerListener(
        string address, byte[] token, Placement placement, int process, int actors, BufferPool pool, Action<Envelope> deliver, Action<string> refused)
    {
        (_token, _placement, _process, _actors, _pool, _deliver, _refused) = (token, placement, process, actors, pool, deliver, refused);
        File.Delete(address);
        _listener.Bind(new UnixDomainSocketEndPoint(address));
        _listener.Listen(ProcessesLimits.Backlog);
        new Thread(Accept) { IsBackground = true, Name = "connections" }.Start();
    }

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

            if (Interlocked.Increment(ref _strangers) > ProcessesLimits.StrangersMax || !TryOpen(socket))
            {
                Interlocked.Decrement(ref _strangers);
                socket.Dispose();
                continue;
            }

            new Thread(() => Read(socket)) { IsBackground = true, Name = "frames in" }.Start();
        }
    }

    private bool TryOpen(Socket socket)
    {
        lock (_lock)
        {
            return !_ending && _open.Add(socket);
        }
    }

    private void Read(Socket socket)
    {
        try
        {
            int peer;
            SharedMemoryPlace place, arena;
            try
            {
                (peer, place, arena) = Greet(socket);
            }
            finally
            {
                Interlocked.Decrement(ref _strangers);
            }

            using TensorBorrower? aside = place == default ? null : TensorBorrower.Open(place, arena);
            using FrameReader frames = new(new NetworkStream(socket), _pool, aside);
            while (true)
            {
                _deliver(frames.Read(envelope => RequireFrom(peer, envelope)));
            }
        }
        catch (FrameException problem)
        {
            _refused(problem.Message);
        }
        catch (Exception lost) when (lost is SocketException or IOException or ObjectDisposedException)
        {
            // The other process ended, or this one ends.
        }
        finally
        {
            lock (_lock)
            {
                _open.Remove(socket);
            }

            socket.Dispose();
        }
    }

    /// <summary>Nothing is looked at before the token is there and right; comparing takes the same time wherever it differs.</summary>
    private (int Peer, SharedMemoryPlace Place, SharedMemoryPlace Arena) Greet(Socket socket)
    {
        socket.ReceiveTimeout = (int)ProcessesLimits.GreetingTimeout.TotalMilliseconds;
        Span<byte> greeting = stackalloc byte[PeerStream.GreetingBytes];
        for (Span<byte> rest = greeting; !rest.IsEmpty;)
        {
            int received = Receive(socket, rest);
            if (received == 0)
            {
                throw new FrameException("a connection without the run's token");
            }

            rest = rest[received..];
        }

        if (!CryptographicOperations.FixedTimeEquals(greeting[..ProcessesLimits.TokenBytes], _token))
        {
            throw new FrameException("a connection without the run's token");
        }

        int peer = BinaryPrimitives.ReadInt32LittleEndian(greeting[ProcessesLimits.TokenBytes..]);
        socket.ReceiveTimeout = 0;
        int places = ProcessesLimits.TokenBytes + sizeof(int);
        return (uint)peer >= (uint)_placement.Count || peer == _process
            ? throw new FrameException($"a connection of process {peer}, which the run does not have")
            : (peer, SharedMemoryPlace.Read(greeting[places..]), SharedMemoryPlace.Read(greeting[(places + SharedMemoryPlace.EncodedBytes)..]));
    }

    private static int Receive(Socket socket, Span<byte> destination)
    {
        try
        {
            return socket.Receive(destination);
        }
        catch (SocketException)
        {
            return 0;
        }
    }

    private void RequireFrom(int peer, Envelope envelope)
    {
        bool isKnown = (uint)envelope.From.Index < (uint)_actors && (uint)envelope.To.Index < (uint)_actors;
        if (!isKnown || _placement.ProcessOf(envelope.From) != peer || _placement.ProcessOf(envelope.To) != _process)
        {
            throw new FrameException($"a message from actor {envelope.From.Index} to actor {envelope.To.Index} on a connection between other processes");
        }
    }
}
