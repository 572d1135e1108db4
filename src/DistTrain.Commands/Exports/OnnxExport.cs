using DistTrain.Commands.Runs;
using DistTrain.Numerics;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Exports;

/// <summary>
/// A trained network as an ONNX model in evaluation form: dropout is left out and k-competitive layers are plain tanh. Its input is rows that are scaled as for
/// training.
/// </summary>
internal sealed class OnnxExport
{
    private const double LeakySlope = 0.01;
    private static readonly int[] PieceAxis = [2];
    private readonly NetworkSpec _network;
    private readonly Precision _precision;
    private readonly IReadOnlyDictionary<string, byte[]> _weights;
    private readonly OnnxGraph _graph;

    private OnnxExport(string name, NetworkSpec network, Precision precision, IReadOnlyDictionary<string, byte[]> weights)
    {
        (_network, _precision, _weights) = (network, precision, weights);
        _graph = new OnnxGraph(name, precision);
    }

    /// <summary>The bytes of the model file.</summary>
    /// <param name="name">The graph's name.</param>
    /// <param name="network">The network.</param>
    /// <param name="precision">Of its weights, and of the model's inputs and outputs.</param>
    /// <param name="weights">Parameters by name, little-endian, row by row.</param>
    public static byte[] Write(string name, NetworkSpec network, Precision precision, IReadOnlyDictionary<string, byte[]> weights)
    {
        OnnxExport export = new(name, network, precision, weights);
        foreach (ParameterSpec parameter in ModelFile.Parameters(network))
        {
            bool isWeight = parameter.Name.EndsWith(".weight", StringComparison.Ordinal);
            export._graph.Tensor(parameter.Name, isWeight ? [parameter.Rows, parameter.Columns] : [parameter.Length], weights[parameter.Name]);
        }

        string value = "input";
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            value = export.Layer(layer, value);
        }

        return export._graph.Model(network.Inputs, value, NetworkShape.InputWidth(network, network.Layers.Count));
    }

    private string Layer(int index, string input) => _network.Layers[index] switch
    {
        DenseSpec dense => Activation(index, dense, Affine(index, input, dense.TiedTo)),
        MaxoutSpec maxout => Maxout(index, maxout, Affine(index, input)),
        KCompetitiveSpec => _graph.Node("Tanh", [Affine(index, input)]),
        DropoutSpec => input,
        LayerSpec other => throw new InvalidInputException(
            $"--format onnx: network[{index}]: ONNX has nothing for a layer of the kind {other.Kind}; expected dense, maxout, k-competitive or dropout"),
    };

    /// <summary>x Wᵀ + b; a tied layer has the weights of an earlier one, transposed.</summary>
    private string Affine(int index, string input, int? tiedTo = null)
    {
        string bias = $"layers.{index}.bias";
        List<string> inputs = [input, $"layers.{tiedTo ?? index}.weight"];
        if (_weights.ContainsKey(bias))
        {
            inputs.Add(bias);
        }

        return _graph.Node("Gemm", inputs, ("transB", tiedTo is null ? 1 : 0));
    }

    private string Activation(int index, DenseSpec dense, string sum)
    {
        switch (dense.Activation)
        {
            case ActivationKind.Linear:
                return sum;
            case ActivationKind.Relu:
                return _graph.Node("Relu", [sum]);
            case ActivationKind.LeakyRelu:
                return Leaky(sum, _graph.Constant($"layers.{index}.slope", dense.Slope ?? LeakySlope));
            case ActivationKind.Prelu:
                return Leaky(sum, $"layers.{index}.slope");
            case ActivationKind.Elu:
                return Elu(index, sum);
            case ActivationKind.Tanh:
                return _graph.Node("Tanh", [sum]);
            case ActivationKind.Sigmoid:
                return _graph.Node("Sigmoid", [sum]);
            case ActivationKind.Softmax:
                return _graph.Node("Softmax", [sum], ("axis", 1));
            default:
                throw new InvalidInputException($"--format onnx: network[{index}]: ONNX has nothing for the activation {dense.Activation}");
        }
    }

    /// <summary>max(0, s) − slope · max(0, −s): runtimes have these operators for both precisions, and LeakyRelu and PRelu for float32 alone.</summary>
    private string Leaky(string sum, string slope) => _precision == Precision.Float32
        ? _graph.Node("PRelu", [sum, slope])
        : _graph.Node("Sub", [_graph.Node("Relu", [sum]), _graph.Node("Mul", [slope, Negative(sum)])]);

    /// <summary>max(0, s) + (exp(min(0, s)) − 1), for the same reason.</summary>
    private string Elu(int index, string sum)
    {
        if (_precision == Precision.Float32)
        {
            return _graph.Node("Elu", [sum], ("alpha", 1f));
        }

        string one = _graph.Constant($"layers.{index}.one", 1);
        string power = _graph.Node("Exp", [_graph.Node("Neg", [Negative(sum)])]);
        return _graph.Node("Add", [_graph.Node("Relu", [sum]), _graph.Node("Sub", [power, one])]);
    }

    private string Negative(string sum) => _graph.Node("Relu", [_graph.Node("Neg", [sum])]);

    /// <summary>Pieces of a unit lie side by side.</summary>
    private string Maxout(int index, MaxoutSpec maxout, string sum)
    {
        string shape = _graph.Integers($"layers.{index}.pieces", -1, maxout.Units, maxout.Pieces);
        return _graph.Node("ReduceMax", [_graph.Node("Reshape", [sum, shape])], ("axes", PieceAxis), ("keepdims", 0));
    }
}
