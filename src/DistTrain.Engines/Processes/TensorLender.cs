using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Processes;

/// <summary>
/// The writing side of a connection's shared memory. A tensor in the process's arena is lent where it is, with a reference until it comes back. Any other is copied to the lowest place that is free, because
/// memory that was just used is still in the cache. The reader computes with it there until it gives its slot back. Who has which slot is this side's own knowledge; the memory holds tensors and the
/// numbers of the slots that came back, which are checked. The frame in the socket, and nothing in the memory, says that a tensor is whole.
/// </summary>
/// <param name="memory">The connection's memory.</param>
/// <param name="arena">The process's large buffers; null for none.</param>
internal sealed class TensorLender(SharedMemory memory, SharedArena? arena = null) : ITensorOutlet, IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<(long Start, long End, int Slot)> _copies = [];
    private readonly bool[] _isLent = new bool[SharedMemory.SlotsMax];

    // Of what is lent where it is.
    private readonly (BufferHandle Buffer, BufferPool? Pool)[] _references = new (BufferHandle, BufferPool?)[SharedMemory.SlotsMax];
    private int _lent;
    private long _returned;
    private bool _isClosed;

    /// <inheritdoc/>
    public TensorPlace Put(BufferHandle tensor, BufferPool pool)
    {
        ReadOnlySpan<byte> bytes = pool.Bytes(tensor);
        long offset = arena is null ? -1 : arena.OffsetOf(bytes);
        if (offset < 0)
        {
            return Put(bytes);
        }

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!memory.IsArenaOpened)
            {
                return PutCopy(bytes);
            }

            TakeBack();
            if (_lent == SharedMemory.SlotsMax)
            {
                return TensorPlace.InStream;
            }

            int slot = TakeSlot();
            pool.Retain(tensor);
            _references[slot] = (tensor, pool);
            return new TensorPlace(memory.DataBytes + offset, slot);
        }
    }

    /// <inheritdoc/>
    public bool HasRoomFor(BufferHandle tensor, BufferPool pool)
    {
        ReadOnlySpan<byte> bytes = pool.Bytes(tensor);
        bool isInArena = arena is not null && arena.OffsetOf(bytes) >= 0;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            TakeBack();
            return isInArena && memory.IsArenaOpened ? _lent < SharedMemory.SlotsMax : memory.IsOpened && TryFindGap(bytes.Length, out _, out _);
        }
    }

    /// <summary>Puts a copy aside.</summary>
    public TensorPlace Put(ReadOnlySpan<byte> tensor)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            return PutCopy(tensor);
        }
    }

    /// <summary>Another thread may close the connection while this one puts something aside.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            if (_references.All(reference => reference.Pool is null))
            {
                memory.Dispose();
                return;
            }
        }

        arena!.Abandon(this);
    }

    /// <summary>After <see cref="Dispose"/>: gives up what came back meanwhile, and everything when the reader has ended.</summary>
    /// <returns>Whether nothing is left to wait for.</returns>
    public bool TryEnd()
    {
        lock (_lock)
        {
            try
            {
                TakeBack();
                int readable = memory.IsReaderGone ? 0 : _references.Length;
                for (int slot = readable; slot < _references.Length; slot++)
                {
                    Release(slot);
                }
            }
            catch (IOException)
            {
                // Whoever tells nonsense may still read: these buffers stay as they are until the process ends.
                return true;
            }

            if (_references.Any(reference => reference.Pool is not null))
            {
                return false;
            }

            memory.Dispose();
            return true;
        }
    }

    private TensorPlace PutCopy(ReadOnlySpan<byte> tensor)
    {
        if (!memory.IsOpened)
        {
            return TensorPlace.InStream;
        }

        TakeBack();
        TensorPlace place = Lend(tensor.Length);
        if (!place.IsInStream)
        {
            tensor.CopyTo(memory.Data(place.Offset, tensor.Length));
        }

        return place;
    }

    private void TakeBack()
    {
        long returned = memory.Returned;
        if (returned < _returned || returned > _returned + _lent)
        {
            throw new IOException($"the reader of shared memory says that it gave back {returned} tensors, {_returned} before, and has {_lent}");
        }

        for (; _returned < returned; _returned++)
        {
            int slot = memory.ReturnedSlot(_returned);
            if ((uint)slot >= SharedMemory.SlotsMax || !_isLent[slot])
            {
                throw new IOException($"the reader of shared memory gave back slot {slot}, which it does not have");
            }

            Release(slot);
        }
    }

    private void Release(int slot)
    {
        if (!_isLent[slot])
        {
            return;
        }

        _isLent[slot] = false;
        _lent--;
        (BufferHandle buffer, BufferPool? pool) = _references[slot];
        _references[slot] = default;
        if (pool is null)
        {
            _copies.RemoveAt(_copies.FindIndex(one => one.Slot == slot));
        }
        else
        {
            pool.Release(buffer);
        }
    }

    private TensorPlace Lend(int length)
    {
        if (!TryFindGap(length, out int index, out long start))
        {
            return TensorPlace.InStream;
        }

        int slot = TakeSlot();
        _copies.Insert(index, (start, start + Aligned(length), slot));
        return new TensorPlace(start, slot);
    }

    /// <summary>The lowest place that is free for a copy.</summary>
    private bool TryFindGap(int length, out int index, out long start)
    {
        long bytes = Aligned(length);
        (index, start) = (0, 0);
        while (index < _copies.Count && _copies[index].Start - start < bytes)
        {
            start = _copies[index++].End;
        }

        return _lent < SharedMemory.SlotsMax && start + bytes <= memory.DataBytes;
    }

    private static long Aligned(int length) => (length + SharedMemory.Alignment - 1L) / SharedMemory.Alignment * SharedMemory.Alignment;

    private int TakeSlot()
    {
        int slot = Array.IndexOf(_isLent, false);
        _isLent[slot] = true;
        _lent++;
        return slot;
    }
}
