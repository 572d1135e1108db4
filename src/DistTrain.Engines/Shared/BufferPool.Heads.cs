using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <content>Buffers that begin with another one.</content>
internal sealed unsafe partial class BufferPool
{
    /// <summary>
    /// Lets a buffer that its job has written begin with the bytes of another one, which are copied only if somebody reads the buffer as a whole: it may never leave the process. It
    /// holds a reference on the other until its own last one is given back.
    /// </summary>
    /// <param name="handle">The buffer, whose first bytes are undefined, as many as <paramref name="head"/> has.</param>
    /// <param name="head">The other one; nobody writes it any more.</param>
    public void BeginWith(BufferHandle handle, BufferHandle head)
    {
        ref Entry entry = ref Checked(handle);
        InvariantException.Require(entry.Head.IsNone && Length(head) <= entry.Bytes, "A buffer begins with one other, which fits.");
        Retain(head);
        entry.Head = head;
        Volatile.Write(ref entry.LacksHead, true);
    }

    /// <summary>What a buffer begins with (<see cref="BeginWith"/>), whether copied by now or not; none for what stands in itself.</summary>
    public BufferHandle HeadOf(BufferHandle handle) => Checked(handle).Head;

    /// <summary>All values of the buffer as one row, of which those of its head may be undefined.</summary>
    public TensorView<T> ViewBehindHead<T>(BufferHandle handle)
        where T : unmanaged
    {
        ref Entry entry = ref Checked(handle);
        return new TensorView<T>((T*)entry.Pointer, 1, (int)(entry.Bytes / sizeof(T)));
    }

    private void CopyHead(ref Entry entry)
    {
        lock (_lock)
        {
            if (entry.LacksHead)
            {
                Bytes(entry.Head).CopyTo(new Span<byte>((void*)entry.Pointer, checked((int)entry.Bytes)));
                Volatile.Write(ref entry.LacksHead, false);
            }
        }
    }
}
