using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Runs;

/// <summary>Parameters in files: <c>layers.0.weight</c> [out, in], biases and slopes as vectors.</summary>
internal static class ModelFile
{
    /// <summary>
    /// SHA-256 over the parameters' value bytes, little-endian, in ordinal order of their names; lower-case hexadecimal.
    /// </summary>
    public static string Sha256(IEnumerable<(ParameterSpec Spec, byte[] Values)> parameters)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((_, byte[] values) in parameters.OrderBy(parameter => parameter.Spec.Name, StringComparer.Ordinal))
        {
            hash.AppendData(values);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Writes parameters; the file is there whole or not at all.</summary>
    public static void Write(string path, IReadOnlyList<(ParameterSpec Spec, byte[] Values)> parameters, Precision precision) =>
        SafetensorsFile.Write(path, parameters.Select(parameter => new SafetensorsTensor(
            parameter.Spec.Name, TypeName(precision), Shape(parameter.Spec), parameter.Values)));

    /// <summary>
    /// Reads the parameters of a network, converted to the run's precision. Throws <see cref="InvalidInputException"/> that names
    /// the first tensor that is missing, too many or of another shape.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="network">Whose parameters it holds.</param>
    /// <param name="precision">To convert to.</param>
    /// <param name="isForeign">Whether another program may have named them.</param>
    public static IReadOnlyDictionary<string, byte[]> Read(string path, NetworkSpec network, Precision precision, bool isForeign = false)
    {
        SafetensorsContents contents = SafetensorsFile.Read(path);
        IReadOnlyList<ParameterSpec> expected = Parameters(network);
        if (isForeign)
        {
            contents = contents with { Tensors = ForeignTensors.Rename(path, contents.Tensors, expected) };
        }

        SortedDictionary<string, byte[]> weights = new(StringComparer.Ordinal);
        foreach (ParameterSpec spec in expected)
        {
            SafetensorsTensor tensor = contents.Find(spec.Name) ?? throw new InvalidInputException(
                $"{path}: there is no tensor '{spec.Name}', which the network needs; "
                + $"the file has {string.Join(", ", contents.Tensors.Select(found => found.Name))}");
            int[] shape = Shape(spec);
            if (!tensor.Shape.SequenceEqual(shape))
            {
                throw new InvalidInputException(
                    $"{path}: the tensor '{spec.Name}' has the shape [{string.Join(", ", tensor.Shape)}]; "
                    + $"the network needs [{string.Join(", ", shape)}]");
            }

            weights[spec.Name] = precision == Precision.Float32
                ? MemoryMarshal.AsBytes<float>(tensor.ToValues<float>()).ToArray()
                : MemoryMarshal.AsBytes<double>(tensor.ToValues<double>()).ToArray();
        }

        if (contents.Tensors.FirstOrDefault(tensor => !weights.ContainsKey(tensor.Name)) is SafetensorsTensor extra)
        {
            throw new InvalidInputException(
                $"{path}: the tensor '{extra.Name}' belongs to no layer of the network, "
                + $"whose parameters are {string.Join(", ", weights.Keys)}");
        }

        return weights;
    }

    /// <summary>The parameters of a whole network, in layer order.</summary>
    public static IReadOnlyList<ParameterSpec> Parameters(NetworkSpec network) =>
        new StageProgram<float>(network, 0, network.Layers.Count).Parameters;

    private static string TypeName(Precision precision) => precision == Precision.Float32 ? "F32" : "F64";

    private static int[] Shape(ParameterSpec spec) =>
        spec.Name.EndsWith(".weight", StringComparison.Ordinal) ? [spec.Rows, spec.Columns] : [spec.Length];
}
