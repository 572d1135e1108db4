using System.Collections.Concurrent;

namespace DistTrain.Akka.Streams;

/// <summary>The reading end of a stream that goes by Akka.Remote in chunks. An empty one ends it, and so does a gap in their numbers.</summary>
/// <param name="credit">Tells the writer up to which chunk everything is taken.</param>
internal sealed class ChunkInput(Action<long> credit) : OneWayStream
{
    private const int CreditEvery = 4;

    private readonly BlockingCollection<byte[]> _chunks = [];
    private byte[] _chunk = [];
    private int _start;
    private long _arrived, _taken;

    /// <summary>A chunk came. Called by one thread at a time.</summary>
    public void OnChunk(long sequence, byte[] bytes)
    {
        if (_chunks.IsAddingCompleted)
        {
            return;
        }

        if (sequence == _arrived + 1)
        {
            _arrived = sequence;
            if (bytes.Length > 0)
            {
                _chunks.Add(bytes);
            }
            else
            {
                _chunks.CompleteAdding();
            }
        }
        else
        {
            credit(-1);
            _chunks.CompleteAdding();
        }
    }

    /// <summary>Nothing more comes: what has arrived is read, and then the end.</summary>
    public void End()
    {
        if (!_chunks.IsAddingCompleted)
        {
            _chunks.CompleteAdding();
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (_start == _chunk.Length)
        {
            if (!_chunks.TryTake(out byte[]? next, Timeout.Infinite))
            {
                return 0;
            }

            (_chunk, _start) = (next, 0);
            if (++_taken % CreditEvery == 0)
            {
                credit(_taken);
            }
        }

        int count = Math.Min(buffer.Length, _chunk.Length - _start);
        _chunk.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End();
        }

        base.Dispose(disposing);
    }
}
