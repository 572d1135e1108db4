namespace DistTrain.Numerics.Layers;

/// <summary>What a forward or backward pass belongs to: all that the arithmetic depends on besides its tensors.</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The optimizer step, from 0.</param>
/// <param name="FirstSample">Index of the micro-batch's first row within the rows of the whole step, over all replicas.</param>
/// <param name="Training">False for evaluation: dropout is the identity and k-competitive layers are plain tanh.</param>
public readonly record struct PassContext(ulong Seed, long Step, int FirstSample, bool Training);
