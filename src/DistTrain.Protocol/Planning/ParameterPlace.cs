using DistTrain.Numerics.Layers;

namespace DistTrain.Protocol.Planning;

/// <summary>Where a tensor lies.</summary>
/// <param name="Parameter">The tensor.</param>
/// <param name="Slice">Its slice.</param>
/// <param name="Offset">Position of its first value in the slice.</param>
public sealed record ParameterPlace(ParameterSpec Parameter, int Slice, int Offset);
