using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Actors;

/// <summary>One version of a stage's weights, slice by slice as the shards send them.</summary>
internal sealed class WeightSet(int slices)
{
    /// <summary>The step of a set that is free.</summary>
    public const long FreeStep = -1;

    private int _arrived;

    /// <summary>The step after which these are the weights, or <see cref="FreeStep"/>.</summary>
    public long Step { get; private set; } = FreeStep;

    /// <summary>The slices' buffers, in slice order.</summary>
    public BufferHandle[] Slices { get; } = new BufferHandle[slices];

    /// <summary>Forward passes that still need this version for their backward pass.</summary>
    public int Users { get; set; }

    /// <summary>Whether all slices are here.</summary>
    public bool IsComplete => _arrived == Slices.Length;

    /// <summary>Starts to collect a version.</summary>
    public void Begin(long step) => Step = step;

    /// <summary>Takes a slice; its reference now belongs to the set.</summary>
    public void Arrive(int position, BufferHandle buffer)
    {
        InvariantException.Require(Slices[position].IsNone, "A slice of a version arrives once.");
        Slices[position] = buffer;
        _arrived++;
    }

    /// <summary>Empties the set; the caller has released its buffers.</summary>
    public void Free()
    {
        Array.Clear(Slices);
        Step = FreeStep;
        Users = 0;
        _arrived = 0;
    }
}
