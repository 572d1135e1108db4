using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>
/// The writing side of a connection's shared memory. Pieces lie one behind the other and start over at the end; their places come back in the order in which they were
/// given. All of that is this side's own knowledge: the memory holds the pieces and one number of the reader, how many it has taken, which is checked. The frame in the
/// socket, and nothing in the memory, says that a piece is whole.
/// </summary>
internal sealed class RingWriter(SharedMemory memory) : ITensorOutlet, IDisposable
{
    // A cache line, which no two pieces share.
    private const int Alignment = 64;

    private readonly Queue<(long Offset, long Bytes)> _given = new();
    private long _next, _put, _taken;

    /// <inheritdoc/>
    public TensorPiece Put(ReadOnlySpan<byte> piece)
    {
        bool held = false;
        try
        {
            memory.Handle.DangerousAddRef(ref held);
            if (!memory.IsOpened)
            {
                return new TensorPiece(-1, piece.Length, (uint)_put);
            }

            TakeBack();
            long bytes = (piece.Length + Alignment - 1L) / Alignment * Alignment;
            if (Place(bytes) is not long offset)
            {
                return new TensorPiece(-1, piece.Length, (uint)_put);
            }

            piece.CopyTo(memory.Data(offset, piece.Length));
            _given.Enqueue((offset, bytes));
            return new TensorPiece(offset, piece.Length, (uint)_put++);
        }
        finally
        {
            if (held)
            {
                memory.Handle.DangerousRelease();
            }
        }
    }

    public void Dispose() => memory.Dispose();

    private void TakeBack()
    {
        long taken = memory.Taken;
        if (taken < _taken || taken > _put)
        {
            throw new IOException($"the reader of shared memory says that it has taken {taken} pieces, of {_put}, and {_taken} before");
        }

        for (; _taken < taken; _taken++)
        {
            _given.Dequeue();
        }
    }

    /// <summary>Where so many bytes are free. An empty ring starts over: memory that was just used is still in the cache.</summary>
    private long? Place(long bytes)
    {
        if (!_given.TryPeek(out (long Offset, long Bytes) oldest))
        {
            _next = 0;
            return Take(bytes, memory.DataBytes);
        }

        if (_next > oldest.Offset)
        {
            if (Take(bytes, memory.DataBytes) is long behind)
            {
                return behind;
            }

            // One byte stays free, or a full ring would look like an empty one.
            long start = _next;
            _next = 0;
            if (Take(bytes, oldest.Offset - 1) is long before)
            {
                return before;
            }

            _next = start;
            return null;
        }

        return Take(bytes, oldest.Offset - 1);
    }

    private long? Take(long bytes, long end)
    {
        if (_next + bytes > end)
        {
            return null;
        }

        long offset = _next;
        _next += bytes;
        return offset;
    }
}
