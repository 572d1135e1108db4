using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>
/// The reading side of a connection's shared memory, or of a connection that has none after all. The memory stays mapped until the last tensor in it was given back, whatever
/// became of the connection and of the process at its other end, which never writes where it has lent something.
/// </summary>
internal sealed class TensorBorrower(SharedMemory? memory) : ITensorInlet, IBufferLender, IDisposable
{
    private readonly Lock _lock = new();
    private readonly bool[] _isBorrowed = new bool[SharedMemory.SlotsMax];
    private long _returned;

    /// <inheritdoc/>
    public BufferHandle Adopt(in TensorPlace place, int length, BufferPool pool)
    {
        if (memory is null)
        {
            throw new FrameException("a tensor in shared memory, which this connection does not have");
        }

        lock (_lock)
        {
            if (place.Offset % SharedMemory.Alignment != 0 || (ulong)place.Offset > (ulong)(memory.DataBytes - length)
                || (uint)place.Slot >= SharedMemory.SlotsMax || _isBorrowed[place.Slot])
            {
                throw new FrameException($"{length} bytes as slot {place.Slot} at {place.Offset} of {memory.DataBytes} bytes of shared memory, where they cannot be");
            }

            _isBorrowed[place.Slot] = true;
        }

        bool held = false;
        memory.Handle.DangerousAddRef(ref held);
        return pool.Adopt(memory.Address(place.Offset), length, this, place.Slot);
    }

    /// <inheritdoc/>
    public void GiveBack(int slot)
    {
        lock (_lock)
        {
            _isBorrowed[slot] = false;
            memory!.Return(_returned++, slot);
        }

        memory.Handle.DangerousRelease();
    }

    public void Dispose() => memory?.Dispose();
}
