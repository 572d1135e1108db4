using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>
/// The reading side of a connection's shared memory and of the sender's arena, or of a connection that has none after all. Both stay mapped until the last tensor in them was given back, whatever
/// became of the connection and of the process at its other end, which never writes where it has lent something.
/// </summary>
/// <param name="memory">The connection's memory; null for none.</param>
/// <param name="arena">The sender's large buffers, whose offsets follow those of <paramref name="memory"/>; null for none.</param>
internal sealed class TensorBorrower(SharedMemory? memory, SharedMemory? arena = null) : ITensorInlet, IBufferLender, IDisposable
{
    private readonly Lock _lock = new();

    // Whose memory each slot lies in; null for a slot that is not borrowed.
    private readonly SharedMemory?[] _borrowed = new SharedMemory?[SharedMemory.SlotsMax];
    private long _returned;

    /// <summary>Opens what a greeting names, as far as it can be opened, and says so there.</summary>
    public static TensorBorrower Open(in SharedMemoryPlace place, in SharedMemoryPlace arena)
    {
        // What has been opened is told last: the sender may lend from then on.
        SharedMemory? buffers = arena == default ? null : SharedMemory.TryOpen(arena);
        SharedMemory? memory = SharedMemory.TryOpen(place);
        if (memory is null)
        {
            buffers?.Dispose();
            return new TensorBorrower(null);
        }

        memory.IsArenaOpened = buffers is not null;
        return new TensorBorrower(memory, buffers);
    }

    /// <inheritdoc/>
    public BufferHandle Adopt(in TensorPlace place, int length, BufferPool pool)
    {
        if (memory is null)
        {
            throw new FrameException("a tensor in shared memory, which this connection does not have");
        }

        bool isInArena = arena is not null && place.Offset >= memory.DataBytes;
        SharedMemory from = isInArena ? arena! : memory;
        long offset = isInArena ? place.Offset - memory.DataBytes : place.Offset;
        lock (_lock)
        {
            if (offset % SharedMemory.Alignment != 0 || (ulong)offset > (ulong)(from.DataBytes - length)
                || (uint)place.Slot >= SharedMemory.SlotsMax || _borrowed[place.Slot] is not null)
            {
                throw new FrameException($"{length} bytes as slot {place.Slot} at {place.Offset} of {memory.DataBytes} bytes of shared memory, where they cannot be");
            }

            _borrowed[place.Slot] = from;
        }

        // Slots are told of in the connection's memory, wherever the tensor lies.
        bool held = false;
        memory.Handle.DangerousAddRef(ref held);
        held = false;
        from.Handle.DangerousAddRef(ref held);
        return pool.Adopt(from.Address(offset), length, this, place.Slot);
    }

    /// <inheritdoc/>
    public void GiveBack(int slot)
    {
        SharedMemory from;
        lock (_lock)
        {
            from = _borrowed[slot]!;
            _borrowed[slot] = null;
            memory!.Return(_returned++, slot);
        }

        from.Handle.DangerousRelease();
        memory.Handle.DangerousRelease();
    }

    public void Dispose()
    {
        memory?.Dispose();
        arena?.Dispose();
    }
}
