using DistTrain.Numerics;

namespace DistTrain.Commands.Exports;

/// <summary>Builds an ONNX model file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); field numbers are those of that file.</summary>
/// <param name="name">The graph's name.</param>
/// <param name="precision">Of every tensor of numbers.</param>
internal sealed class OnnxGraph(string name, Precision precision)
{
    /// <summary>Operator set of the nodes: the newest in which reductions still have their axes as attributes.</summary>
    public const int OperatorSet = 17;

    private const int IrVersion = 8, FloatType = 1, Int64Type = 7, DoubleType = 11, AttributeFloat = 1, AttributeInt = 2, AttributeInts = 7;
    private readonly ProtobufWriter _graph = new();
    private readonly List<ProtobufWriter> _initializers = [];
    private int _nodes;

    private int ElementType => precision == Precision.Float32 ? FloatType : DoubleType;

    /// <summary>Adds a node and returns the name of its output.</summary>
    public string Node(string operation, IReadOnlyList<string> inputs, params IReadOnlyList<(string Name, object Value)> attributes)
    {
        string output = $"{operation.ToLowerInvariant()}_{_nodes++}";
        ProtobufWriter node = new();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        node.Text(2, output).Text(3, output).Text(4, operation);
        foreach ((string attribute, object value) in attributes)
        {
            node.Message(5, Attribute(attribute, value));
        }

        _graph.Message(1, node);
        return output;
    }

    /// <summary>Adds a tensor of numbers in the graph's precision, little-endian, and returns its name.</summary>
    public string Tensor(string tensor, IReadOnlyList<int> shape, ReadOnlySpan<byte> values) => Add(tensor, shape, ElementType, values);

    /// <summary>Adds a single number.</summary>
    public string Constant(string tensor, double value) => Tensor(
        tensor, [1], precision == Precision.Float32 ? BitConverter.GetBytes((float)value) : BitConverter.GetBytes(value));

    /// <summary>Adds whole numbers, as shapes are.</summary>
    public string Integers(string tensor, params long[] values) =>
        Add(tensor, [values.Length], Int64Type, System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(values));

    /// <summary>The whole model: rows of inputs in, rows of outputs out.</summary>
    public byte[] Model(int inputs, string result, int outputs)
    {
        _graph.Message(1, new ProtobufWriter().Text(1, result).Text(2, "output").Text(3, "output").Text(4, "Identity"));
        _graph.Text(2, name);
        foreach (ProtobufWriter initializer in _initializers)
        {
            _graph.Message(5, initializer);
        }

        _graph.Message(11, Value("input", inputs)).Message(12, Value("output", outputs));
        return new ProtobufWriter()
            .Number(1, IrVersion)
            .Text(2, "disttrain")
            .Message(7, _graph)
            .Message(8, new ProtobufWriter().Text(1, "").Number(2, OperatorSet))
            .ToArray();
    }

    private static ProtobufWriter Attribute(string name, object value)
    {
        ProtobufWriter attribute = new ProtobufWriter().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Single(2, number).Number(20, AttributeFloat);
            case int number:
                return attribute.Number(3, number).Number(20, AttributeInt);
            case int[] numbers:
                foreach (int number in numbers)
                {
                    attribute.Number(8, number);
                }

                return attribute.Number(20, AttributeInts);
            default:
                throw new ArgumentException($"An attribute cannot be a {value.GetType().Name}.", nameof(value));
        }
    }

    private string Add(string tensor, IReadOnlyList<int> shape, int type, ReadOnlySpan<byte> values)
    {
        ProtobufWriter initializer = new();
        foreach (int size in shape)
        {
            initializer.Number(1, size);
        }

        _initializers.Add(initializer.Number(2, type).Text(8, tensor).Bytes(9, values));
        return tensor;
    }

    private ProtobufWriter Value(string value, int width)
    {
        ProtobufWriter shape = new ProtobufWriter()
            .Message(1, new ProtobufWriter().Text(2, "rows"))
            .Message(1, new ProtobufWriter().Number(1, width));
        ProtobufWriter type = new ProtobufWriter().Number(1, ElementType).Message(2, shape);
        return new ProtobufWriter().Text(1, value).Message(2, new ProtobufWriter().Message(1, type));
    }
}
