using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Where a process has its large buffers, so that the run's other processes read them where they were computed: nothing is copied, however many read. A buffer that is lent has a
/// reference, and nobody writes one that has several. Thread-safe.
/// </summary>
internal sealed class SharedArena : IBlockSource, IDisposable
{
    private readonly SharedMemory _memory;
    private readonly Lock _lock = new();
    private readonly List<TensorLender> _abandoned = [];
    private long _taken;

    private SharedArena(SharedMemory memory) => _memory = memory;

    /// <summary>What another process opens it by.</summary>
    public SharedMemoryPlace Place => _memory.Place;

    /// <summary>Makes an arena; null where the system has no such memory.</summary>
    public static SharedArena? TryCreate(long bytes) => SharedMemory.TryCreate(bytes) is SharedMemory memory ? new SharedArena(memory) : null;

    /// <inheritdoc/>
    public nint TryTake(long bytes)
    {
        lock (_lock)
        {
            long size = (bytes + SharedMemory.Alignment - 1) / SharedMemory.Alignment * SharedMemory.Alignment;
            if (size > _memory.DataBytes - _taken)
            {
                return 0;
            }

            _taken += size;
            return _memory.Address(_taken - size);
        }
    }

    /// <summary>Where a buffer lies in the arena; −1 for elsewhere.</summary>
    public unsafe long OffsetOf(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            long offset = (nint)start - _memory.Address(0);
            return offset >= 0 && offset <= _memory.DataBytes - buffer.Length ? offset : -1;
        }
    }

    /// <summary>Takes a lender whose connection is gone while its reader has buffers: they come back, or the reader has ended.</summary>
    public void Abandon(TensorLender lender)
    {
        lock (_lock)
        {
            _abandoned.Add(lender);
        }
    }

    /// <summary>Looks what came back of connections that are gone.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            _abandoned.RemoveAll(lender => lender.TryEnd());
        }
    }

    public void Dispose() => _memory.Dispose();
}
