using System.Globalization;
using System.Text.RegularExpressions;
using DistTrain.Data;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;

namespace DistTrain.Commands.Runs;

/// <summary>
/// Gives tensors of other programs the names of this one's parameters: <c>0.weight, 0.bias, 2.weight, 2.bias</c> of a sequence of PyTorch modules, or
/// <c>fc1.weight, fc1.bias</c>, become <c>layers.0.weight</c> and so on, by their order and kind.
/// </summary>
internal static partial class ForeignTensors
{
    private static readonly string[] Kinds = ["weight", "bias", "slope"];

    /// <summary>The tensors under the names that are expected. Throws <see cref="InvalidInputException"/> where they do not fit one to one.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="tensors">What the file holds.</param>
    /// <param name="expected">The network's parameters, in layer order.</param>
    public static IReadOnlyList<SafetensorsTensor> Rename(string path, IReadOnlyList<SafetensorsTensor> tensors, IReadOnlyList<ParameterSpec> expected)
    {
        if (expected.All(spec => tensors.Any(tensor => tensor.Name == spec.Name)))
        {
            return tensors;
        }

        // The slope of a learned leaky ReLU is the weight of a module of its own in PyTorch: a single value behind its layer.
        SafetensorsTensor[] ordered = [.. tensors.OrderBy(tensor => NaturalKey(tensor.Name), StringComparer.Ordinal)];
        if (ordered.Length != expected.Count)
        {
            throw new InvalidInputException(
                $"{path}: the names of its {tensors.Count} tensors are not those of the network, and it needs {expected.Count}: {string.Join(", ", expected.Select(spec => spec.Name))}; "
                + $"the file has {string.Join(", ", ordered.Select(tensor => tensor.Name))}");
        }

        return [.. ordered.Zip(expected, (tensor, spec) => tensor with { Name = spec.Name })];
    }

    /// <summary>Orders names by the numbers in them, and a layer's weight before its bias.</summary>
    private static string NaturalKey(string name)
    {
        int dot = name.LastIndexOf('.');
        string kind = dot < 0 ? name : name[(dot + 1)..];
        string owner = Digits().Replace(dot < 0 ? "" : name[..dot], number => number.Value.PadLeft(12, '0'));
        return string.Create(CultureInfo.InvariantCulture, $"{owner} {Array.IndexOf(Kinds, kind) switch { < 0 => 9, int order => order }} {kind}");
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
