namespace DistTrain.Numerics.Networks;

/// <summary>A feed-forward network: the width of its input and its layers in order.</summary>
public sealed record NetworkSpec(int Inputs, IReadOnlyList<LayerSpec> Layers);
