using System.Runtime.InteropServices;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Layers;

/// <summary>
/// Working memory of one compute thread, outside the garbage-collected heap, handed out like a stack: remember a
/// <see cref="Mark"/>, <see cref="Take{T}"/> what is needed, <see cref="Release"/> to the mark. It only grows, so a thread that
/// repeats its work stops allocating after the first round. Not thread-safe. Contents are undefined when taken.
/// </summary>
public sealed unsafe class ComputeScratch : IDisposable
{
    private const int Alignment = 64;
    private const long SmallestBlock = 64 * 1024;
    private const int MaxBlocks = 64;

    // Growing adds a block, because views of the earlier ones are in use; the blocks become one when everything is released.
    private readonly nint[] _blocks = new nint[MaxBlocks];
    private readonly long[] _ends = new long[MaxBlocks];
    private int _count;
    private long _used;
    private bool _disposed;

    /// <summary>Frees the memory if nobody disposed it.</summary>
    ~ComputeScratch() => Free();

    /// <summary>The present top of the stack, for <see cref="Release"/>.</summary>
    public long Mark => _used;

    /// <summary>Bytes that are reserved now.</summary>
    public long CapacityBytes => _count == 0 ? 0 : _ends[_count - 1];

    /// <summary>A matrix of undefined contents, 64-byte aligned, valid until a release below it.</summary>
    public TensorView<T> Take<T>(int rows, int columns)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        ObjectDisposedException.ThrowIf(_disposed, this);
        long bytes = Math.Max(1, (long)checked(rows * columns) * sizeof(T));
        bytes = (bytes + Alignment - 1) / Alignment * Alignment;
        int block = 0;
        while (block < _count && _used + bytes > _ends[block])
        {
            // What is left of a block that is too small is skipped; the address space of marks runs on.
            _used = Math.Max(_used, _ends[block]);
            block++;
        }

        if (block == _count)
        {
            AddBlock(bytes);
        }

        long start = block == 0 ? 0 : _ends[block - 1];
        T* pointer = (T*)(_blocks[block] + (nint)(_used - start));
        _used += bytes;
        return new TensorView<T>(pointer, rows, columns);
    }

    /// <summary>Gives back everything that was taken since <paramref name="mark"/>.</summary>
    public void Release(long mark)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mark);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(mark, _used);
        _used = mark;
        if (mark == 0 && _count > 1)
        {
            long total = CapacityBytes;
            FreeBlocks();
            AddBlock(total);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void AddBlock(long bytes)
    {
        long size = Math.Max(Math.Max(bytes, SmallestBlock), CapacityBytes);
        _blocks[_count] = (nint)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        _ends[_count] = CapacityBytes + size;
        _count++;
    }

    private void FreeBlocks()
    {
        for (int i = 0; i < _count; i++)
        {
            NativeMemory.AlignedFree((void*)_blocks[i]);
        }

        _count = 0;
    }

    private void Free()
    {
        FreeBlocks();
        _used = 0;
        _disposed = true;
    }
}
