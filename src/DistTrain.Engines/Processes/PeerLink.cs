using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>
/// What this process sends to another: a queue, a thread that writes frames in batches, and a connection that is made again when it is
/// lost. What was on its way then is lost with it; the protocol's links send it again.
/// </summary>
internal sealed class PeerLink : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<Envelope> _queue = new();
    private readonly SemaphoreSlim _filled = new(0);
    private readonly List<Envelope> _batch = [];
    private readonly ArrayBufferWriter<byte> _gathered = new(ProcessesLimits.BatchBytes);
    private readonly FrameCodec _codec = new();
    private readonly UnixDomainSocketEndPoint _address;
    private readonly byte[] _greeting;
    private readonly BufferPool _pool;
    private readonly PoolBytes _bytes;
    private readonly Thread _thread;
    private readonly CancellationTokenSource _ending = new();
    private Socket? _socket;

    /// <param name="address">The other's socket.</param>
    /// <param name="token">The run's token.</param>
    /// <param name="process">This process's number.</param>
    /// <param name="pool">The buffers.</param>
    public PeerLink(string address, byte[] token, int process, BufferPool pool)
    {
        _address = new UnixDomainSocketEndPoint(address);
        _greeting = Greeting(token, process);
        (_pool, _bytes) = (pool, new PoolBytes(pool));
        _thread = new Thread(Loop) { IsBackground = true, Name = "frames out" };
        _thread.Start();
    }

    /// <summary>What a connection starts with: the token, then who opens it.</summary>
    public static byte[] Greeting(byte[] token, int process)
    {
        byte[] greeting = new byte[ProcessesLimits.TokenBytes + sizeof(int)];
        token.CopyTo(greeting, 0);
        BinaryPrimitives.WriteInt32LittleEndian(greeting.AsSpan(ProcessesLimits.TokenBytes), process);
        return greeting;
    }

    /// <summary>Queues an envelope; its delivery's references are this link's now. Never blocks.</summary>
    public void Send(in Envelope envelope)
    {
        bool wakes, isLost;
        lock (_lock)
        {
            wakes = _queue.Count == 0;
            isLost = _queue.Count >= ProcessesLimits.QueuedMessagesMax;
            if (!isLost)
            {
                _queue.Enqueue(envelope);
            }
        }

        if (isLost)
        {
            Release(envelope);
        }
        else if (wakes)
        {
            _filled.Release();
        }
    }

    /// <summary>Leaves the connection, where another process listens at the address now and the one before may still be there.</summary>
    public void Reconnect() => Volatile.Read(ref _socket)?.Dispose();

    public void Dispose()
    {
        _ending.Cancel();
        Volatile.Read(ref _socket)?.Dispose();
        _thread.Join();
        while (_queue.TryDequeue(out Envelope envelope))
        {
            Release(envelope);
        }

        _codec.Dispose();
        _filled.Dispose();
        _ending.Dispose();
    }

    private void Loop()
    {
        try
        {
            while (true)
            {
                _filled.Wait(_ending.Token);
                Connect();
                while (TakeBatch())
                {
                    WriteBatch();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
        finally
        {
            _socket?.Dispose();
        }
    }

    private bool TakeBatch()
    {
        _batch.Clear();
        long bytes = 0;
        lock (_lock)
        {
            while (bytes < ProcessesLimits.BatchBytes && _queue.TryDequeue(out Envelope envelope))
            {
                bytes += sizeof(long) + _pool.Length(MessageBuffers.First(envelope.Message)) + _pool.Length(MessageBuffers.Second(envelope.Message));
                _batch.Add(envelope);
            }
        }

        return _batch.Count > 0;
    }

    /// <summary>A batch that a lost connection interrupts is written once more on the next one: what arrives twice is dropped there.</summary>
    private void WriteBatch()
    {
        try
        {
            if (!TryWrite())
            {
                Connect();
                if (!TryWrite())
                {
                    Connect();
                }
            }
        }
        finally
        {
            foreach (Envelope envelope in _batch)
            {
                Release(envelope);
            }
        }
    }

    private bool TryWrite()
    {
        try
        {
            _gathered.ResetWrittenCount();
            foreach (Envelope envelope in _batch)
            {
                Write(envelope);
            }

            Flush();
            return true;
        }
        catch (Exception lost) when (lost is SocketException or ObjectDisposedException)
        {
            _socket?.Dispose();
            Volatile.Write(ref _socket, null);
            return false;
        }
    }

    /// <summary>Small buffers are gathered with the headers, large ones are sent from where they are.</summary>
    private void Write(in Envelope envelope)
    {
        foreach (BufferHandle buffer in _codec.WriteHeader(envelope, _bytes, _gathered))
        {
            ReadOnlySpan<byte> bytes = _bytes.BytesOf(buffer);
            if (bytes.Length < ProcessesLimits.LargeBufferBytes)
            {
                _gathered.Write(bytes);
            }
            else
            {
                Flush();
                SendAll(bytes);
            }
        }
    }

    private void Flush()
    {
        SendAll(_gathered.WrittenSpan);
        _gathered.ResetWrittenCount();
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket!.Send(bytes)..];
        }
    }

    /// <summary>Makes the connection unless it is there; returns when it is. The other process may be starting, or being started again.</summary>
    private void Connect()
    {
        TimeSpan wait = ProcessesLimits.ReconnectFirst;
        while (_socket is null)
        {
            _ending.Token.ThrowIfCancellationRequested();
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(_address);
                socket.Send(_greeting);
                Volatile.Write(ref _socket, socket);
            }
            catch (SocketException)
            {
                socket.Dispose();
                _ending.Token.WaitHandle.WaitOne(wait);
                wait = wait * 2 < ProcessesLimits.ReconnectCap ? wait * 2 : ProcessesLimits.ReconnectCap;
            }
        }

        if (_ending.IsCancellationRequested)
        {
            throw new OperationCanceledException();
        }
    }

    private void Release(in Envelope envelope)
    {
        _pool.Release(MessageBuffers.First(envelope.Message));
        _pool.Release(MessageBuffers.Second(envelope.Message));
    }
}
