using DistTrain.Numerics;
using DistTrain.Numerics.Compression;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Learning;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Methods;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>Where a tensor lies.</summary>
/// <param name="Parameter">The tensor.</param>
/// <param name="Slice">Its slice.</param>
/// <param name="Offset">Position of its first value in the slice.</param>
public sealed record ParameterPlace(ParameterSpec Parameter, int Slice, int Offset);
