using System.Numerics;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Buffers by handle with counted references: 64-byte aligned native memory that is reused by size class, so a run that
/// repeats its steps
/// allocates nothing. A handle that outlived its buffer is caught by its generation.
/// </summary>
/// <param name="large">Where buffers from <see cref="TensorPlace.TensorBytesMin"/> on come from as long as it has room; null for nowhere special.</param>
/// <param name="isShared">
/// Whether several threads use it. Where one does, nothing is atomic: a step of a small network counts references some fifty times, and on some processors that is a tenth of
/// its time.
/// </param>
internal sealed unsafe partial class BufferPool(IBlockSource? large = null, bool isShared = true) : IDisposable
{
    private const int SlotsPerChunk = 1024;
    private const int ChunksMax = 4096;
    private const long SmallestCapacity = 256;
    private const int RoomAlignment = 64;

    // Four for each power of two above the smallest capacity, that one, and what is lent.
    private const int SizeClasses = 2 + (4 * 56);
    private const int LentClass = 0;

    private readonly Lock _lock = new();
    private readonly Entry[]?[] _chunks = FirstChunk();

    // The first free slot of each size class in the lower half, 0 for none; the upper half counts changes, so that a slot which was taken and given back
    // meanwhile is not mistaken for one that never left.
    private readonly long[] _free = new long[SizeClasses];
    private int _slots = 1;

    // Who uses a pool that is not shared; 0 before the first buffer.
    private int _owner;

    ~BufferPool() => Free();

    /// <summary>Buffers with at least one reference.</summary>
    public int Live
    {
        get
        {
            int live = 0;
            for (int slot = 1; slot < Volatile.Read(ref _slots); slot++)
            {
                live += Volatile.Read(ref EntryOf(slot).References) > 0 ? 1 : 0;
            }

            return live;
        }
    }

    /// <summary>Bytes of all buffers so far, in use or not.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>A buffer of undefined contents with one reference.</summary>
    /// <param name="bytes">Its size.</param>
    /// <param name="roomBytes">Of the room behind it (<see cref="Room"/>), which no message takes along.</param>
    public BufferHandle Rent(long bytes, long roomBytes = 0)
    {
        RequireOwner();
        int sizeClass = SizeClass(roomBytes == 0 ? bytes : RoomAt(bytes) + roomBytes);
        int slot = TakeFree(sizeClass);
        return Begin(slot != 0 ? slot : AddSlot(sizeClass), bytes);
    }

    /// <summary>A buffer with one reference in memory that somebody else lends: 64-byte aligned, with its contents, read-only.</summary>
    /// <param name="pointer">Its start.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="lender">Gets it back after the last reference.</param>
    /// <param name="lentAs">The lender's number of it.</param>
    public BufferHandle Adopt(nint pointer, long bytes, IBufferLender lender, int lentAs)
    {
        int slot = TakeFree(LentClass);
        slot = slot != 0 ? slot : AddSlot(LentClass);
        ref Entry entry = ref EntryOf(slot);
        (entry.Pointer, entry.Lender, entry.LentAs) = (pointer, lender, lentAs);
        return Begin(slot, bytes);
    }

    /// <summary>One more reference.</summary>
    public void Retain(BufferHandle handle)
    {
        if (handle.IsNone)
        {
            return;
        }

        ref Entry entry = ref Checked(handle);
        int references = isShared ? Interlocked.Increment(ref entry.References) : ++entry.References;
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
        int references = isShared ? Interlocked.Decrement(ref entry.References) : --entry.References;
        InvariantException.Require(references >= 0, "A reference is given back once.");
        if (references > 0)
        {
            return;
        }

        if (entry.IsTaken)
        {
            // The memory is somebody else's by now, and the slot has none.
            return;
        }

        Poison(entry);
        if (!entry.Head.IsNone)
        {
            BufferHandle head = entry.Head;
            (entry.Head, entry.LacksHead) = (BufferHandle.None, false);
            Release(head);
        }

        if (entry.Lender is IBufferLender lender)
        {
            entry.Lender = null;
            lender.GiveBack(entry.LentAs);
        }

        GiveFree(handle.Slot, ref entry);
    }

    /// <summary>
    /// Takes the memory of a buffer out of the pool, which neither frees nor reuses it from now on; whoever has a reference may go on reading. To be called by
    /// one thread at a time.
    /// </summary>
    /// <param name="handle">The buffer.</param>
    /// <param name="block">Its memory, to be given back to <see cref="NativeBlocks"/>.</param>
    /// <param name="capacity">The memory's size.</param>
    /// <returns>False where the memory is lent or others see it, or was taken before.</returns>
    public bool TryTakeMemory(BufferHandle handle, out nint block, out long capacity)
    {
        ref Entry entry = ref Checked(handle);
        (block, capacity) = (entry.Pointer, entry.Capacity);
        if (capacity == 0 || entry.IsTaken || entry.IsOfSource)
        {
            return false;
        }

        return entry.IsTaken = true;
    }

    /// <summary>The buffer as a matrix from its start.</summary>
    public TensorView<T> View<T>(BufferHandle handle, int rows, int columns)
        where T : unmanaged
    {
        ref Entry entry = ref Whole(handle);
        InvariantException.Require((long)rows * columns * sizeof(T) <= entry.Bytes, "A view stays inside its buffer.");
        return new TensorView<T>((T*)entry.Pointer, rows, columns);
    }

    /// <summary>A part of the room behind a buffer's values, of undefined contents at first, which whoever writes the buffer may use until it gives the buffer away.</summary>
    /// <param name="handle">The buffer.</param>
    /// <param name="offset">Values before the part; where these fill whole cache lines, it begins one.</param>
    /// <param name="length">Values.</param>
    public TensorView<T> Room<T>(BufferHandle handle, long offset, int length)
        where T : unmanaged
    {
        ref Entry entry = ref Checked(handle);
        long start = RoomAt(entry.Bytes) + (offset * sizeof(T));
        InvariantException.Require(start + ((long)length * sizeof(T)) <= entry.Capacity, "Room behind a buffer is asked for when it is rented.");
        return new TensorView<T>((T*)(entry.Pointer + start), 1, length);
    }

    /// <summary>All values of the buffer as one row; none for no buffer.</summary>
    public TensorView<T> View<T>(BufferHandle handle)
        where T : unmanaged => handle.IsNone ? default : View<T>(handle, 1, (int)(Checked(handle).Bytes / sizeof(T)));

    /// <summary>The buffer's bytes.</summary>
    public Span<byte> Bytes(BufferHandle handle)
    {
        ref Entry entry = ref Whole(handle);
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
    private static int SizeClass(long bytes)
    {
        if (bytes <= SmallestCapacity)
        {
            return 1;
        }

        // Of the eighths of the next power of two, five to eight.
        int octave = BitOperations.Log2((ulong)(bytes - 1)) - BitOperations.Log2((ulong)SmallestCapacity);
        long eighth = SmallestCapacity << octave >> 2;
        return 2 + (4 * octave) + (int)((bytes - 1) / eighth) - 4;
    }

    private static Entry[]?[] FirstChunk()
    {
        var chunks = new Entry[]?[ChunksMax];
        chunks[0] = new Entry[SlotsPerChunk];
        return chunks;
    }

    private static long RoomAt(long bytes) => (bytes + RoomAlignment - 1) / RoomAlignment * RoomAlignment;

    private static long CapacityOf(int sizeClass) => sizeClass switch
    {
        LentClass => 0,
        1 => SmallestCapacity,
        _ => (SmallestCapacity << ((sizeClass - 2) / 4) >> 2) * (5 + ((sizeClass - 2) % 4)),
    };

    private BufferHandle Begin(int slot, long bytes)
    {
        ref Entry entry = ref EntryOf(slot);
        entry.Bytes = bytes;
        entry.Generation++;
        Volatile.Write(ref entry.References, 1);
        return new BufferHandle(slot, entry.Generation);
    }

    /// <summary>A free slot of a size class; 0 for none.</summary>
    private int TakeFree(int sizeClass)
    {
        ref long head = ref _free[sizeClass];
        long seen = Volatile.Read(ref head);
        while ((int)seen != 0)
        {
            // Another thread may have taken the slot by now, and what follows it is then not what is read here; but then the count has changed too.
            long next = Changed(seen, Volatile.Read(ref EntryOf((int)seen).NextFree));
            long found = Exchange(ref head, next, seen);
            if (found == seen)
            {
                return (int)seen;
            }

            seen = found;
        }

        return 0;
    }

    private void GiveFree(int slot, ref Entry entry)
    {
        ref long head = ref _free[entry.SizeClass];
        long seen = Volatile.Read(ref head);
        while (true)
        {
            Volatile.Write(ref entry.NextFree, (int)seen);
            long found = Exchange(ref head, Changed(seen, slot), seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }

    /// <summary>Puts a list's next head in place of the one that was seen, unless it has changed.</summary>
    /// <returns>The head that was found.</returns>
    private long Exchange(ref long head, long next, long seen)
    {
        if (isShared)
        {
            return Interlocked.CompareExchange(ref head, next, seen);
        }

        head = next;
        return seen;
    }

    private void RequireOwner()
    {
        if (!isShared)
        {
            int thread = Environment.CurrentManagedThreadId;
            _owner = _owner == 0 ? thread : _owner;
            InvariantException.Require(_owner == thread, "A pool that is not shared has buffers for one thread.");
        }
    }

    private static long Changed(long head, int slot) => (((head >> 32) + 1) << 32) | (uint)slot;

    private int AddSlot(int sizeClass)
    {
        lock (_lock)
        {
            int slot = _slots;
            _chunks[(uint)slot / SlotsPerChunk] ??= new Entry[SlotsPerChunk];
            ref Entry entry = ref EntryOf(slot);
            long capacity = CapacityOf(sizeClass);
            entry.Pointer = capacity >= TensorPlace.TensorBytesMin && large is not null ? large.TryTake(capacity) : 0;
            entry.IsOfSource = entry.Pointer != 0;
            entry.Pointer = capacity == 0 || entry.IsOfSource ? entry.Pointer : NativeBlocks.Take(capacity);
            entry.Capacity = capacity;
            entry.SizeClass = sizeClass;
            ReservedBytes += capacity;
            Volatile.Write(ref _slots, slot + 1);
            return slot;
        }
    }

    private ref Entry EntryOf(int slot) => ref _chunks[(uint)slot / SlotsPerChunk]![(uint)slot % SlotsPerChunk];

    private ref Entry Checked(BufferHandle handle)
    {
        // No buffer is slot 0, which never has a reference.
        ref Entry entry = ref EntryOf(handle.Slot);
        InvariantException.Require(
            entry.Generation == handle.Generation && Volatile.Read(ref entry.References) > 0, "A handle is used while its buffer is alive.");
        return ref entry;
    }

    private ref Entry Whole(BufferHandle handle)
    {
        ref Entry entry = ref Checked(handle);
        if (Volatile.Read(ref entry.LacksHead))
        {
            CopyHead(ref entry);
        }

        return ref entry;
    }

    private void Free()
    {
        for (int slot = 1; slot < _slots; slot++)
        {
            ref Entry entry = ref EntryOf(slot);
            if (entry.Capacity > 0 && !entry.IsTaken && !entry.IsOfSource)
            {
                NativeBlocks.Give(entry.Pointer, entry.Capacity);
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
        public int SizeClass;
        public int NextFree;
        public bool IsTaken;
        public bool IsOfSource;
        public bool LacksHead;
        public BufferHandle Head;

        // Of buffers without a capacity of their own.
        public IBufferLender? Lender;
        public int LentAs;
    }
}
