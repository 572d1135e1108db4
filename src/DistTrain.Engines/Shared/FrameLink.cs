using System.Net.Sockets;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Shared;

/// <summary>
/// What this process sends to another: a queue, a thread that writes frames in batches, and a stream that is made again when it is lost.
/// What was on its way then is lost with it; the protocol's links send it again. Whoever sends something after a pause, on a stream that takes it without waiting
/// (<see cref="IPromptStream"/>), or several messages at once, writes it itself: to wake the thread takes longer than that. Where single messages come one upon the other the thread
/// gathers them, for of those that are each written by themselves a third less goes through.
/// </summary>
internal sealed class FrameLink : IDisposable
{
    /// <summary>Messages that wait for a stream; beyond this they are lost, and the protocol sends them again.</summary>
    public const int QueuedMessagesMax = 1 << 16;

    /// <summary>First wait before a stream is tried again: a process that is starting binds its socket after some tens of
    /// milliseconds.</summary>
    public static readonly TimeSpan ReconnectFirst = TimeSpan.FromMilliseconds(5);

    // So many times a message is sent in so short a time, 9 µs each, are a stream. There and back between two processes takes some 25 µs.
    private const int StreamWrites = 8, StreamMicroseconds = 72;

    // A sender has something else to do.
    private const int HereMessagesMax = 64, HereBytesMax = 32 << 10;

    private readonly Lock _lock = new();
    private readonly Queue<Envelope> _queue = new();
    private readonly SemaphoreSlim _filled = new(0);
    private readonly List<Envelope> _batch = [];
    private readonly FrameWriter _frames;
    private readonly Func<CancellationToken, Stream> _connect;
    private readonly TimeSpan _reconnectCap;
    private readonly BufferPool _pool;
    private readonly Thread _thread;
    private readonly TimeProvider _time;
    private readonly long _streamTicks;

    // When something was sent the last times, the nth time in place n modulo their number.
    private readonly long[] _sentAt = new long[StreamWrites];
    private readonly CancellationTokenSource _ending = new();

    // Whoever writes has these, and the batch, until it stops writing. What a sender leaves in the batch, of which it may have gathered the first ones, begins the thread's next.
    private Stream? _stream;
    private int _gathered;

    // With the lock held. Fresh is what was gathered since something was last sent.
    private bool _isWriting, _isAwake, _isEnding;
    private uint _sent;
    private int _fresh;

    /// <param name="connect">Makes a stream; throws <see cref="IOException"/> or <see cref="SocketException"/> when it cannot be made now.</param>
    /// <param name="reconnectCap">Longest wait before that is tried again.</param>
    /// <param name="pool">The buffers.</param>
    /// <param name="time">Tells how soon messages follow each other; null for the system's.</param>
    public FrameLink(Func<CancellationToken, Stream> connect, TimeSpan reconnectCap, BufferPool pool, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _streamTicks = _time.TimestampFrequency * StreamMicroseconds / 1_000_000;
        Array.Fill(_sentAt, _time.GetTimestamp() - _streamTicks);
        (_connect, _reconnectCap) = (connect, reconnectCap);
        (_pool, _frames) = (pool, new FrameWriter(pool));
        _thread = new Thread(Loop) { IsBackground = true, Name = "frames out" };
        _thread.Start();
    }

    /// <summary>Sends an envelope; its delivery's references are this link's now. Never waits.</summary>
    public void Send(Envelope envelope)
    {
        Gather(envelope);
        Flush();
    }

    /// <summary>Queues an envelope, which <see cref="Flush"/> sends at the latest; its delivery's references are this link's now.</summary>
    public void Gather(Envelope envelope)
    {
        bool isLost;
        lock (_lock)
        {
            isLost = _isEnding || _queue.Count >= QueuedMessagesMax;
            if (!isLost)
            {
                _queue.Enqueue(envelope);
                _fresh++;
            }
        }

        if (isLost)
        {
            Release(envelope);
        }
    }

    /// <summary>Sends what was gathered. Never waits.</summary>
    public void Flush()
    {
        if (TryBeginWriting())
        {
            try
            {
                WriteHere();
            }
            finally
            {
                StopWriting(wakesThread: true);
            }
        }
    }

    /// <summary>Leaves the stream, where another process listens at the address now and the one before may still be there.</summary>
    public void Reconnect() => Volatile.Read(ref _stream)?.Dispose();

    public void Dispose()
    {
        _ending.Cancel();
        Volatile.Read(ref _stream)?.Dispose();
        _thread.Join();
        SpinWait.SpinUntil(TryEnd);
        _batch.ForEach(Release);
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
                    try
                    {
                        WriteBatch();
                    }
                    finally
                    {
                        StopWriting(wakesThread: false);
                    }
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

    /// <summary>Begins to write on the calling thread where nobody writes, nothing is left and messages do not come one by one without a pause; else somebody else will.</summary>
    private bool TryBeginWriting()
    {
        lock (_lock)
        {
            if (_queue.Count == 0 || _isEnding)
            {
                // Somebody has taken it along, or it is too late for it.
                _fresh = 0;
                return false;
            }

            long now = _time.GetTimestamp();
            ref long sentBefore = ref _sentAt[_sent++ % StreamWrites];
            bool isStream = _fresh <= 1 && now - sentBefore < _streamTicks;
            (sentBefore, _fresh) = (now, 0);
            if (_isWriting)
            {
                // Whoever does looks for more when it stops.
                return false;
            }

            if (isStream || _batch.Count > 0 || _stream is not IPromptStream)
            {
                WakeThread();
                return false;
            }

            while (_batch.Count < HereMessagesMax && _queue.TryDequeue(out Envelope? envelope))
            {
                _batch.Add(envelope);
            }

            return _isWriting = true;
        }
    }

    /// <summary>Writes as much of the batch as needs no waiting, and leaves the rest to the thread.</summary>
    private void WriteHere()
    {
        try
        {
            IPromptStream prompt = (IPromptStream)_stream!;
            while (TryGatherSome(_stream!) && prompt.TakesAtOnce(_frames.Gathered))
            {
                _frames.Flush(_stream!);
                ForgetWritten();
            }
        }
        catch (Exception lost) when (IsLoss(lost))
        {
            Lose();
        }
    }

    /// <summary>Gathers the first messages of the batch, as many as are told of at once; false where not even one only gathers, or none is left.</summary>
    private bool TryGatherSome(Stream stream)
    {
        _gathered = 0;
        for (long bytes = 0; _gathered < _batch.Count && _frames.Gathered < HereBytesMax && bytes < FrameWriter.AsideBatchBytes; _gathered++)
        {
            Envelope next = _batch[_gathered];
            if (!_frames.OnlyGathers(next, stream))
            {
                break;
            }

            bytes += _frames.Write(next, stream);
        }

        return _gathered > 0;
    }

    private void ForgetWritten()
    {
        for (int index = 0; index < _gathered; index++)
        {
            Release(_batch[index]);
        }

        _batch.RemoveRange(0, _gathered);
        _gathered = 0;
    }

    /// <summary>Stops writing. A sender wakes the thread for what came meanwhile; the thread looks itself.</summary>
    private void StopWriting(bool wakesThread)
    {
        lock (_lock)
        {
            _isWriting = false;
            if (wakesThread && !_isEnding && (_queue.Count > 0 || _batch.Count > 0))
            {
                WakeThread();
            }
        }
    }

    // With the lock held. Once is enough until it has looked.
    private void WakeThread()
    {
        if (!_isAwake)
        {
            _isAwake = true;
            _filled.Release();
        }
    }

    private bool TryEnd()
    {
        lock (_lock)
        {
            _isEnding = true;
            return !_isWriting;
        }
    }

    /// <summary>Begins to write what waits, unless a sender writes, who wakes this thread when it stops.</summary>
    private bool TakeBatch()
    {
        long bytes = 0;
        long max = _stream is ITensorOutlet ? FrameWriter.AsideBatchBytes : FrameWriter.BatchBytes;
        lock (_lock)
        {
            if (_isWriting)
            {
                return _isAwake = false;
            }

            while (bytes < max && _queue.TryDequeue(out Envelope? envelope))
            {
                bytes += sizeof(long) + _pool.Length(envelope.First) + _pool.Length(envelope.Second);
                _batch.Add(envelope);
            }

            return _isAwake = _isWriting = _batch.Count > 0;
        }
    }

    /// <summary>A batch that a lost stream interrupts is written once more on the next one: what arrives twice is dropped there.</summary>
    private void WriteBatch()
    {
        try
        {
            // A sender may have lost the stream since this thread made it.
            Connect();
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

            _batch.Clear();
        }
    }

    private bool TryWrite()
    {
        try
        {
            // A sender may have gathered some of it already, unless the stream was lost since.
            for (int index = _frames.Gathered > 0 ? _gathered : 0; index < _batch.Count; index++)
            {
                _frames.Write(_batch[index], _stream!);
            }

            _frames.Flush(_stream!);
            return true;
        }
        catch (Exception lost) when (IsLoss(lost))
        {
            Lose();
            return false;
        }
    }

    private static bool IsLoss(Exception exception) => exception is IOException or SocketException or ObjectDisposedException;

    private void Lose()
    {
        _frames.Reset();
        _stream?.Dispose();
        Volatile.Write(ref _stream, null);
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
