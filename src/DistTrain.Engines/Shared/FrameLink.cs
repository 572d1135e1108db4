using System.Net.Sockets;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>
/// What this process sends to another: a queue, a thread that writes frames in batches, and a stream that is made again when it is lost.
/// What was on its way then is lost with it; the protocol's links send it again.
/// </summary>
internal sealed class FrameLink : IDisposable
{
    /// <summary>Messages that wait for a stream; beyond this they are lost, and the protocol sends them again.</summary>
    public const int QueuedMessagesMax = 1 << 16;

    /// <summary>First wait before a stream is tried again: a process that is starting binds its socket after some tens of
    /// milliseconds.</summary>
    public static readonly TimeSpan ReconnectFirst = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<Envelope> _queue = new();
    private readonly SemaphoreSlim _filled = new(0);
    private readonly List<Envelope> _batch = [];
    private readonly FrameWriter _frames;
    private readonly Func<CancellationToken, Stream> _connect;
    private readonly TimeSpan _reconnectCap;
    private readonly BufferPool _pool;
    private readonly Thread _thread;
    private readonly CancellationTokenSource _ending = new();
    private Stream? _stream;

    /// <param name="connect">Makes a stream; throws <see cref="IOException"/> or <see cref="SocketException"/> when it cannot be made now.</param>
    /// <param name="reconnectCap">Longest wait before that is tried again.</param>
    /// <param name="pool">The buffers.</param>
    public FrameLink(Func<CancellationToken, Stream> connect, TimeSpan reconnectCap, BufferPool pool)
    {
        (_connect, _reconnectCap) = (connect, reconnectCap);
        (_pool, _frames) = (pool, new FrameWriter(pool));
        _thread = new Thread(Loop) { IsBackground = true, Name = "frames out" };
        _thread.Start();
    }

    /// <summary>Queues an envelope; its delivery's references are this link's now. Never blocks.</summary>
    public void Send(Envelope envelope)
    {
        bool wakes, isLost;
        lock (_lock)
        {
            wakes = _queue.Count == 0;
            isLost = _queue.Count >= QueuedMessagesMax;
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

    /// <summary>Leaves the stream, where another process listens at the address now and the one before may still be there.</summary>
    public void Reconnect() => Volatile.Read(ref _stream)?.Dispose();

    public void Dispose()
    {
        _ending.Cancel();
        Volatile.Read(ref _stream)?.Dispose();
        _thread.Join();
        while (_queue.TryDequeue(out Envelope? envelope))
        {
            Release(envelope);
        }

        _frames.Dispose();
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
            _stream?.Dispose();
        }
    }

    private bool TakeBatch()
    {
        _batch.Clear();
        long bytes = 0;
        long max = _stream is ITensorOutlet ? FrameWriter.AsideBatchBytes : FrameWriter.BatchBytes;
        lock (_lock)
        {
            while (bytes < max && _queue.TryDequeue(out Envelope? envelope))
            {
                bytes += sizeof(long) + _pool.Length(envelope.First) + _pool.Length(envelope.Second);
                _batch.Add(envelope);
            }
        }

        return _batch.Count > 0;
    }

    /// <summary>A batch that a lost stream interrupts is written once more on the next one: what arrives twice is dropped there.</summary>
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
            _frames.Reset();
            foreach (Envelope envelope in _batch)
            {
                _frames.Write(envelope, _stream!);
            }

            _frames.Flush(_stream!);
            return true;
        }
        catch (Exception lost) when (lost is IOException or SocketException or ObjectDisposedException)
        {
            _stream?.Dispose();
            Volatile.Write(ref _stream, null);
            return false;
        }
    }

    /// <summary>Makes the stream unless it is there; returns when it is. The other process may be starting, or being started again.</summary>
    private void Connect()
    {
        TimeSpan wait = ReconnectFirst;
        while (_stream is null)
        {
            _ending.Token.ThrowIfCancellationRequested();
            try
            {
                Volatile.Write(ref _stream, _connect(_ending.Token));
            }
            catch (Exception absent) when (absent is IOException or SocketException)
            {
                _ending.Token.WaitHandle.WaitOne(wait);
                wait = wait * 2 < _reconnectCap ? wait * 2 : _reconnectCap;
            }
        }

        _ending.Token.ThrowIfCancellationRequested();
    }

    private void Release(Envelope envelope)
    {
        _pool.Release(envelope.First);
        _pool.Release(envelope.Second);
    }
}
