using System.Numerics;
using DistTrain.Numerics.Layers.Activations;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Layers;

/// <summary>Builds the layers of a stage from their specifications. The one place to add a kind of layer.</summary>
internal sealed class StageBuilder<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly NetworkSpec _network;
    private readonly int _first, _count, _factoredRows;
    private readonly bool _leavesInput;
    private readonly LossKind? _loss;
    private readonly List<ParameterSpec> _parameters = [];
    private readonly Dictionary<int, int> _weightOfLayer = [];

    public StageBuilder(NetworkSpec network, int firstLayer, int layerCount, LossKind? loss, int factoredRows, bool leavesInput)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstLayer);
        ArgumentOutOfRangeException.ThrowIfLessThan(layerCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstLayer + layerCount, network.Layers.Count);
        if (loss is not null && firstLayer + layerCount != network.Layers.Count)
        {
            throw new ArgumentException("Only the last stage has a loss.", nameof(loss));
        }

        (_network, _first, _count, _loss, _factoredRows, _leavesInput) = (network, firstLayer, layerCount, loss, factoredRows, leavesInput);
    }

    /// <summary>Layers and parameters, both in layer order.</summary>
    public (Layer<T>[] Layers, ParameterSpec[] Parameters) Build()
    {
        var layers = new Layer<T>[_count];
        int width = NetworkShape.InputWidth(_network, _first);
        for (int i = 0; i < _count; i++)
        {
            layers[i] = Build(_first + i, width);
            width = layers[i].OutputWidth;
        }

        return (layers, _parameters.ToArray());
    }

    private Layer<T> Build(int index, int width) => Build(index, width, _network.Layers[index]);

    private Layer<T> Build(int index, int width, LayerSpec spec) => spec switch
    {
        ContributedSpec contributed => Build(index, width, contributed.Inner),
        HistorySpec history => Build(index, width, history.Inner),
        DenseSpec dense => BuildDense(index, width, dense),
        MaxoutSpec maxout => new MaxoutLayer<T>(
            index, width, maxout.Units, maxout.Pieces, BuildAffine(index, width, maxout.Units * maxout.Pieces, maxout.Bias)),
        KCompetitiveSpec k => new KCompetitiveLayer<T>(index, width, k, BuildAffine(index, width, k.Units, k.Bias)),
        DropoutSpec dropout => new DropoutLayer<T>(index, width, dropout.Rate),
        LayerSpec other => throw new ArgumentException($"network[{index}]: unknown kind of layer {other.Kind}."),
    };

    private DenseLayer<T> BuildDense(int index, int width, DenseSpec dense)
    {
        AffineMap<T> affine = BuildAffine(index, width, dense.Units, dense.Bias, dense.TiedTo);
        int slope = dense.Activation == ActivationKind.Prelu ? Add("slope", index, 1, 1) : -1;
        bool fused = index == _network.Layers.Count - 1 && (_loss, dense.Activation) is
            (LossKind.CrossEntropy, ActivationKind.Softmax) or (LossKind.BinaryCrossEntropy, ActivationKind.Sigmoid);
        return new DenseLayer<T>(index, width, dense.Units, affine, Activation<T>.For(dense), slope, fused);
    }

    private AffineMap<T> BuildAffine(int index, int width, int outputs, bool bias, int? tiedTo = null)
    {
        if (_network.Layers[index] is ContributedSpec contributed)
        {
            int theta = Add(contributed.Theta(index)), scale = Add("scale", index, 1, 1);
            return new ContributedMap<T>(contributed, theta, scale, bias ? Add("bias", index, 1, outputs) : -1);
        }

        if (_network.Layers[index] is HistorySpec history)
        {
            return new HistoryMap<T>(history, Add(history.Parameter(index)), bias ? Add("bias", index, 1, outputs) : -1);
        }

        int weight;
        if (tiedTo is not int source)
        {
            weight = Add(Weight(index, outputs, width));
            _weightOfLayer[index] = weight;
        }
        else if (!_weightOfLayer.TryGetValue(source, out weight))
        {
            throw new InvalidInputException(
                $"network[{index}]: tied to layer {source}, which is in another stage. " +
                $"Choose stages so that layers {source} to {index} stand in one.");
        }

        int sharer = tiedTo ?? index;
        bool shared = false;
        for (int later = index + 1; later < _first + _count; later++)
        {
            shared |= _network.Layers[later] is DenseSpec { TiedTo: int to } && to == sharer;
        }

        int rows = _parameters[weight].FactoredRows;
        return new WeightMap<T>(weight, bias ? Add("bias", index, 1, outputs) : -1, tiedTo is not null, shared, rows, _leavesInput && index == _first);
    }

    /// <summary>A weight of its own. That of tied layers has a sum of products for a gradient.</summary>
    private ParameterSpec Weight(int index, int outputs, int width)
    {
        ParameterSpec weight = new($"layers.{index}.weight", index, outputs, width);
        return _network.Layers.Any(layer => layer is DenseSpec { TiedTo: int to } && to == index) ? weight : weight.Factored(_factoredRows);
    }

    private int Add(string name, int layer, int rows, int columns) =>
        Add(new ParameterSpec($"layers.{layer}.{name}", layer, rows, columns));

    private int Add(ParameterSpec parameter)
    {
        _parameters.Add(parameter);
        return _parameters.Count - 1;
    }
}
