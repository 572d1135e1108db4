namespace DistTrain.Engines.Shared;

/// <summary>Memory for the large buffers of a pool that others than this process may see. It is never given back: a pool reuses its buffers until the process ends.</summary>
internal interface IBlockSource
{
    /// <summary>A block of undefined contents, 64-byte aligned; 0 where there is no room.</summary>
    nint TryTake(long bytes);
}
