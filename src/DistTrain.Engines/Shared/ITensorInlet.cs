using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Shared;

/// <summary>The reading side of an <see cref="ITensorOutlet"/>; one thread.</summary>
internal interface ITensorInlet
{
    /// <summary>Makes a buffer of a tensor where it lies. Throws <see cref="Protocol.Wire.FrameException"/> when none can be there.</summary>
    BufferHandle Adopt(in TensorPlace place, int length, BufferPool pool);
}
