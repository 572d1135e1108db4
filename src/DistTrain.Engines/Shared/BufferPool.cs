using System.Numerics;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Buffers by handle with counted references: 64-byte aligned native memory that is reused by size class, so a run that
/// repeats its steps
/// allocates nothing. Thread-safe. A handle that outlived its buffer is caught by its generation.
/// </summary>
internal sealed unsafe class BufferPool : IDisposable
{
    private const int SlotsPerChunk = 1024;
    private const int ChunksMax = 4096;

    private readonly Lock _lock = new();
    private readonly Entry[]?[] _chunks = new Entry[ChunksMax][];
    private readonly Dictionary<long, Stack<int>> _free = [];
    private int _slots = 1;
    private int _live;

    ~BufferPool() => Free();

    /// <summary>Buffers with at least one reference.</summary>
    public int Live => Volatile.Read(ref _live);

    /// <summary>Bytes of all buffers so far, in use or not.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>A buffer of undefined contents with one reference.</summary>
    public BufferHandle Rent(long bytes)
    {
        long capacity = SizeClass(bytes);
        lock (_lock)
        {
            int slot;
            if (_free.TryGetValue(capacity, out Stack<int>? free) && free.Count > 0)
            {
                slot = free.Pop();
            }
            else
            {
                slot = AddSlot(capacity);
            }

            ref Entry entry = ref EntryOf(slot);
            entry.Bytes = bytes;
            entry.References = 1;
            entry.Generation++;
            _live++;
            return new BufferHandle(slot, entry.Generation);
        }
    }

    /// <summary>A buffer with one reference in memory that somebody else lends: 64-byte aligned, with its contents, read-only.</summary>
    /// <param name="pointer">Its start.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="lender">Gets it back after the last reference.</param>
    /// <param name="lentAs">The lender's number of it.</param>
    public BufferHandle Adopt(nint pointer, long bytes, IBufferLender lender, int lentAs)
    {
        lock (_lock)
        {
            int slot = _free.TryGetValue(0, out Stack<int>? free) && free.Count > 0 ? free.Pop() : AddSlot(0);
            ref Entry entry = ref EntryOf(slot);
            (entry.Pointer, entry.Lender, entry.LentAs) = (pointer, lender, lentAs);
            (entry.Bytes, entry.References) = (bytes, 1);
            entry.Generation++;
            _live++;
            return new BufferHandle(slot, entry.Generation);
        }
    }

    /// <summary>One more reference.</summary>
    public void Retain(BufferHandle handle)
    {
        if (handle.IsNone)
        {
            return;
        }

        ref Entry entry = ref Checked(handle);
        int references = Interlocked.Increment(ref entry.References);
        InvariantException.Require(references > 1, "Only a buffer that is alive can be retained.");
    }

    /// <summary>One reference less; the last one recycles the buffer.</summary>
    public void Release(BufferHandle handle)
    {
        if (handle.IsNone)
        {
            return;
        }

        ref Entry entry = ref Checked(handle);
        int references = Interlocked.Decrement(ref entry.References);
        InvariantException.Require(references >= 0, "A reference is given back once.");
        if (references > 0)
        {
            return;
        }

        Poison(entry);
        if (entry.Lender is IBufferLender lender)
        {
            entry.Lender = null;
            lender.GiveBack(entry.LentAs);
        }

        lock (_lock)
        {
            _live--;
            _free[entry.Capacity].Push(handle.Slot);
        }
    }

    /// <summary>The buffer as a matrix from its start.</summary>
    public TensorView<T> View<T>(BufferHandle handle, int rows, int columns)
        where T : unmanaged
    {
        ref Entry entry = ref Checked(handle);
        InvariantException.Require((long)rows * columns * sizeof(T) <= entry.Bytes, "A view stays inside its buffer.");
        return new TensorView<T>((T*)entry.Pointer, rows, columns);
    }

    /// <summary>All values of the buffer as one row; none for no buffer.</summary>
    public TensorView<T> View<T>(BufferHandle handle)
        where T : unmanaged => handle.IsNone ? default : View<T>(handle, 1, (int)(Checked(handle).Bytes / sizeof(T)));

    /// <summary>The buffer's bytes.</summary>
    public Span<byte> Bytes(BufferHandle handle)
    {
        ref Entry entry = ref Checked(handle);
        return new Span<byte>((void*)entry.Pointer, checked((int)entry.Bytes));
    }

    /// <summary>Size in bytes; 0 for no buffer.</summary>
    public long Length(BufferHandle handle) => handle.IsNone ? 0 : Checked(handle).Bytes;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [System.Diagnostics.Conditional("DEBUG")]
    private static void Poison(in Entry entry) => new Span<byte>((void*)entry.Pointer, checked((int)entry.Capacity)).Fill(0xFF);

    /// <summary>Quarters of powers of two: little is wasted, and the last, smaller batch of an epoch needs few classes of
    /// its own.</summary>
    private static long SizeClass(long bytes)
    {
        if (bytes <= 256)
        {
            return 256;
        }

        long quarter = (long)(BitOperations.RoundUpToPowerOf2((ulong)bytes) / 8);
        return (bytes + quarter - 1) / quarter * quarter;
    }

    private int AddSlot(long capacity)
    {
        _free.TryAdd(capacity, new Stack<int>());
        int slot = _slots++;
        _chunks[slot / SlotsPerChunk] ??= new Entry[SlotsPerChunk];
        ref Entry entry = ref EntryOf(slot);
        entry.Pointer = capacity == 0 ? 0 : NativeBlocks.Take(capacity);
        entry.Capacity = capacity;
        ReservedBytes += capacity;
        return slot;
    }

    private ref Entry EntryOf(int slot) => ref _chunks[slot / SlotsPerChunk]![slot % SlotsPerChunk];

    private ref Entry Checked(BufferHandle handle)
    {
        InvariantException.Require(!handle.IsNone, "A buffer is named.");
        ref Entry entry = ref EntryOf(handle.Slot);
        InvariantException.Require(
            entry.Generation == handle.Generation && Volatile.Read(ref entry.References) > 0, "A handle is used while its buffer is alive.");
        return ref entry;
    }

    private void Free()
    {
        for (int slot = 1; slot < _slots; slot++)
        {
            if (EntryOf(slot).Capacity > 0)
            {
                NativeBlocks.Give(EntryOf(slot).Pointer, EntryOf(slot).Capacity);
            }
        }

        _slots = 1;
    }

    private struct Entry
    {
        public nint Pointer;
        public long Capacity;
        public long Bytes;
        public int References;
        public int Generation;

        // Of buffers without a capacity of their own.
        public IBufferLender? Lender;
        public int LentAs;
    }
}
