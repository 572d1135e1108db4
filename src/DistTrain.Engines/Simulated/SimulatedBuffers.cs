using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// The buffers of a simulated run: those of a pool or, where only time counts, handles that say no more than how long the buffer would be and that nobody needs
/// to count.
/// </summary>
internal sealed class SimulatedBuffers(BufferPool? pool)
{
    private const int SlotBits = 31;

    /// <summary>A handle that stands for a buffer of so many bytes.</summary>
    public static BufferHandle OfLength(long bytes) => new((int)(bytes & int.MaxValue), 1 + (int)(bytes >> SlotBits));

    public void Retain(BufferHandle handle) => pool?.Retain(handle);

    public void Release(BufferHandle handle) => pool?.Release(handle);

    /// <summary>Bytes of a message's tensors.</summary>
    public long BytesOf(Message message) => LengthOf(MessageBuffers.First(message)) + LengthOf(MessageBuffers.Second(message));

    public void Retain(Message message)
    {
        if (pool is not null)
        {
            pool.Retain(MessageBuffers.First(message));
            pool.Retain(MessageBuffers.Second(message));
        }
    }

    public void Release(Message message)
    {
        if (pool is not null)
        {
            pool.Release(MessageBuffers.First(message));
            pool.Release(MessageBuffers.Second(message));
        }
    }

    public void RetainInputs(Job job)
    {
        foreach (BufferHandle input in pool is null ? [] : job.Inputs)
        {
            pool!.Retain(input);
        }
    }

    public void ReleaseInputs(Job job)
    {
        foreach (BufferHandle input in pool is null ? [] : job.Inputs)
        {
            pool!.Release(input);
        }
    }

    public void ReleaseOutputs(Job job)
    {
        foreach (BufferHandle output in pool is null ? [] : job.Outputs)
        {
            pool!.Release(output);
        }

        Array.Clear(job.Outputs);
    }

    /// <summary>Bytes of a buffer; 0 for none.</summary>
    public long LengthOf(BufferHandle handle) =>
        pool is not null ? pool.Length(handle)
        : handle.IsNone ? 0
        : ((long)(handle.Generation - 1) << SlotBits) | (uint)handle.Slot;
}
