namespace DistTrain.Akka.Streams;

/// <summary>The writing end of a stream that goes by Akka.Remote in chunks: at most a window of them are on their way.</summary>
/// <param name="send">Sends a chunk by its number, from 1.</param>
/// <param name="window">Chunks.</param>
/// <param name="closed">Hears the end.</param>
internal sealed class ChunkOutput(Action<long, byte[]> send, int window, Action closed) : OneWayStream
{
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _credit = new(false);
    private long _sent, _credited;
    private bool _lost;

    /// <summary>Every chunk up to a number was taken; below 0 the stream is lost.</summary>
    public void OnCredit(long sequence)
    {
        lock (_lock)
        {
            _lost |= sequence < 0;
            _credited = Math.Max(_credited, sequence);
        }

        _credit.Set();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            WaitForRoom();
            int piece = Math.Min(buffer.Length, StreamLimits.ChunkBytes);
            send(++_sent, buffer[..piece].ToArray());
            buffer = buffer[piece..];
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            bool isOpen;
            lock (_lock)
            {
                isOpen = !_lost && _sent > 0;
            }

            if (isOpen)
            {
                // The other end would wait for more for as long as the run goes on.
                send(_sent + 1, []);
            }

            OnCredit(-1);
            closed();
        }

        base.Dispose(disposing);
    }

    private void WaitForRoom()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_lost)
                {
                    throw new IOException("the stream of chunks was lost");
                }

                if (_sent - _credited < window)
                {
                    return;
                }
            }

            if (!_credit.WaitOne(StreamLimits.ChunkTimeout))
            {
                throw new IOException($"no chunk was taken for {StreamLimits.ChunkTimeout.TotalSeconds} s");
            }
        }
    }
}
