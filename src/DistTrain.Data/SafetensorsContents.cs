namespace DistTrain.Data;

/// <summary>A safetensors file that was read.</summary>
/// <param name="Tensors">Its tensors in ordinal order of their names.</param>
/// <param name="Metadata">The texts under <c>__metadata__</c>, in ordinal order of their keys.</param>
public sealed record SafetensorsContents(IReadOnlyList<SafetensorsTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The tensor of that name, or null.</summary>
    public SafetensorsTensor? Find(string name) => Tensors.FirstOrDefault(tensor => tensor.Name == name);
}
