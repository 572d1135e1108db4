using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Protocol.Tests.Harness;

/// <summary>Counts references exactly: a use after the last release, and a buffer that nobody gives back, are errors.</summary>
internal sealed class BufferPool
{
    private readonly List<Slot> _slots = [];
    private readonly Stack<int> _free = new();

    public int Live => _slots.Count - _free.Count;

    public BufferHandle Take(ulong value, Applied? applied = null)
    {
        if (!_free.TryPop(out int index))
        {
            index = _slots.Count;
            _slots.Add(new Slot());
        }

        Slot slot = _slots[index];
        slot.Generation++;
        (slot.References, slot.Value, slot.Applied, slot.Sent) = (1, value, applied, false);
        return new BufferHandle(index, slot.Generation);
    }

    public void Retain(BufferHandle handle)
    {
        if (!handle.IsNone)
        {
            Of(handle).References++;
        }
    }

    public void Release(BufferHandle handle)
    {
        if (!handle.IsNone && --Of(handle).References == 0)
        {
            _free.Push(handle.Slot);
        }
    }

    public void Retain(Message message)
    {
        Retain(MessageBuffers.First(message));
        Retain(MessageBuffers.Second(message));
    }

    public void Release(Message message)
    {
        Release(MessageBuffers.First(message));
        Release(MessageBuffers.Second(message));
    }

    /// <summary>A buffer that was sent may be read elsewhere at any time.</summary>
    public void Freeze(BufferHandle handle)
    {
        if (!handle.IsNone)
        {
            Of(handle).Sent = true;
        }
    }

    public ulong Value(BufferHandle handle) => handle.IsNone ? 0 : Of(handle).Value;

    public Applied? AppliedIn(BufferHandle handle) => Of(handle).Applied;

    public void Write(BufferHandle handle, ulong value, Applied applied)
    {
        Slot slot = Of(handle);
        if (slot.Sent)
        {
            throw new InvalidOperationException($"{handle} is written after it was sent.");
        }

        (slot.Value, slot.Applied) = (value, applied);
    }

    private Slot Of(BufferHandle handle)
    {
        Slot slot = _slots[handle.Slot];
        return slot.Generation == handle.Generation && slot.References > 0
            ? slot
            : throw new InvalidOperationException($"{handle} is used after its last release.");
    }

    private sealed class Slot
    {
        public int Generation, References;
        public ulong Value;
        public Applied? Applied;
        public bool Sent;
    }
}

/// <summary>
/// What is in a gradient or in weights, newest first: whose contribution to which step, from how many micro-batches, and
/// after which step's residual. For
/// a residual: whose, and after which step.
/// </summary>
internal sealed record Applied(Applied? Before, int Replica, long Step, int MicroBatches, long ResidualStep = 0);
