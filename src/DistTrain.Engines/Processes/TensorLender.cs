using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>
/// The writing side of a connection's shared memory. A tensor is copied to the lowest place that is free, because memory that was just used is still in the cache, and
/// the reader computes with it there until it gives the place back. Who has which place is this side's own knowledge; the memory holds tensors and the numbers of the slots
/// that came back, which are checked. The frame in the socket, and nothing in the memory, says that a tensor is whole.
/// </summary>
internal sealed class TensorLender(SharedMemory memory) : ITensorOutlet, IDisposable
{
    private readonly List<(long Start, long End, int Slot)> _lent = [];
    private readonly bool[] _isLent = new bool[SharedMemory.SlotsMax];
    private long _returned;

    /// <inheritdoc/>
    public TensorPlace Put(ReadOnlySpan<byte> tensor)
    {
        bool held = false;
        try
        {
            // Another thread may close the connection meanwhile.
            memory.Handle.DangerousAddRef(ref held);
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
        long returned = memory.Returned;
        if (returned < _returned || returned > _returned + _lent.Count)
        {
            throw new IOException($"the reader of shared memory says that it gave back {returned} tensors, {_returned} before, and has {_lent.Count}");
        }

        for (; _returned < returned; _returned++)
        {
            int slot = memory.ReturnedSlot(_returned);
            int index = _lent.FindIndex(one => one.Slot == slot);
            if (index < 0)
            {
                throw new IOException($"the reader of shared memory gave back slot {slot}, which it does not have");
            }

            _lent.RemoveAt(index);
            _isLent[slot] = false;
        }
    }

    private TensorPlace Lend(int length)
    {
        if (_lent.Count == SharedMemory.SlotsMax)
        {
            return TensorPlace.InStream;
        }

        long bytes = (length + SharedMemory.Alignment - 1L) / SharedMemory.Alignment * SharedMemory.Alignment, start = 0;
        int index = 0;
        while (index < _lent.Count && _lent[index].Start - start < bytes)
        {
            start = _lent[index++].End;
        }

        if (start + bytes > memory.DataBytes)
        {
            return TensorPlace.InStream;
        }

        int slot = Array.IndexOf(_isLent, false);
        _isLent[slot] = true;
        _lent.Insert(index, (start, start + bytes, slot));
        return new TensorPlace(start, slot);
    }
}
