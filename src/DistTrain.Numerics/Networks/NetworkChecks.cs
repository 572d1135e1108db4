using DistTrain.Numerics.Layers;

namespace DistTrain.Numerics.Networks;

/// <summary>What a network must satisfy before anything is built from it.</summary>
public static class NetworkChecks
{
    /// <summary>Checks the network and that the loss goes with its last layer.</summary>
    /// <exception cref="InvalidInputException">The first thing that is wrong, named by its place (<c>network[2]</c>, from 0),
    /// with what would be right.</exception>
    public static void Validate(NetworkSpec network, LossKind loss)
    {
        ArgumentNullException.ThrowIfNull(network);
        Require(network.Inputs >= 1, $"network: {network.Inputs} inputs; the data must have at least 1 feature.");
        Require(
            network.Layers.Count >= 1,
            "network: no layers; give at least one, for example - dense: { units: 10, activation: softmax }.");
        for (int i = 0; i < network.Layers.Count; i++)
        {
            CheckLayer(network, i);
        }

        int last = network.Layers.Count - 1;
        Require(
            network.Layers[last] is not DropoutSpec,
            $"network[{last}]: dropout is the last layer and would drop outputs; put it before the last dense layer.");
        CheckLoss(network.Layers[last], last, loss);
    }

    /// <summary>What is allowed but rarely meant; one sentence each.</summary>
    public static IReadOnlyList<string> Warnings(NetworkSpec network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var warnings = new List<string>();
        for (int i = 0; i < network.Layers.Count - 1; i++)
        {
            if (network.Layers[i] is DenseSpec { Activation: ActivationKind.Softmax })
            {
                warnings.Add(
                    $"network[{i}]: softmax in a hidden layer ties its units together: they add up to 1 and each one's " +
                    "gradient depends on all. An element-wise activation (relu, tanh, sigmoid) is what is usually meant.");
            }
        }

        return warnings;
    }

    private static void CheckLayer(NetworkSpec network, int i)
    {
        switch (network.Layers[i])
        {
            case DenseSpec dense:
                CheckUnits(i, dense.Units);
                CheckInitializer(i, dense.Initializer);
                CheckSlope(i, dense);
                if (dense.TiedTo is int source)
                {
                    CheckTie(network, i, dense, source);
                }

                break;
            case MaxoutSpec maxout:
                CheckUnits(i, maxout.Units);
                Require(maxout.Pieces >= 1, $"network[{i}]: pieces is {maxout.Pieces}; maxout needs at least 1, usually 2 to 5.");
                CheckInitializer(i, maxout.Initializer);
                break;
            case KCompetitiveSpec k:
                CheckUnits(i, k.Units);
                Require(
                    k.K >= 1 && k.K <= k.Units,
                    $"network[{i}]: k is {k.K}; it must be from 1 to the layer's {k.Units} units.");
                Require(
                    double.IsFinite(k.Alpha) && k.Alpha >= 0,
                    $"network[{i}]: alpha is {k.Alpha}; it must be a number of at least 0, for example 6.26.");
                CheckInitializer(i, k.Initializer);
                break;
            case DropoutSpec dropout:
                Require(
                    dropout.Rate >= 0 && dropout.Rate < 1,
                    $"network[{i}]: rate is {dropout.Rate}; it must be at least 0 and below 1.");
                break;
        }
    }

    private static void CheckUnits(int i, int units)
        => Require(units >= 1, $"network[{i}]: units is {units}; it must be at least 1.");

    private static void CheckSlope(int i, DenseSpec dense)
    {
        if (dense.Slope is not double slope)
        {
            return;
        }

        Require(
            dense.Activation is ActivationKind.LeakyRelu or ActivationKind.Prelu,
            $"network[{i}]: slope is set, but only leaky-relu and prelu have one; remove it or change the activation.");
        Require(double.IsFinite(slope), $"network[{i}]: slope is {slope}; it must be a finite number, for example 0.01.");
    }

    private static void CheckInitializer(int i, InitializerSpec? initializer)
    {
        if (initializer is { Kind: InitializerKind.Uniform } uniform)
        {
            Require(
                double.IsFinite(uniform.Low) && double.IsFinite(uniform.High) && uniform.Low <= uniform.High,
                $"network[{i}]: uniform({uniform.Low}, {uniform.High}); the bounds must be finite, the lower one first.");
        }
    }

    private static void CheckTie(NetworkSpec network, int i, DenseSpec dense, int source)
    {
        Require(source >= 0 && source < i, $"network[{i}]: tied to layer {source}; it must be an earlier layer, 0 to {i - 1}.");
        Require(
            dense.Initializer is null,
            $"network[{i}]: has an initializer, but no weight of its own: it is tied to layer {source}. Remove one of the two.");
        int? units = network.Layers[source] switch
        {
            DenseSpec { TiedTo: null } other => other.Units,
            KCompetitiveSpec other => other.Units,
            _ => null,
        };
        Require(
            units is not null,
            $"network[{i}]: tied to layer {source}, which has no weight that can be shared; name a dense or k-competitive " +
            "layer that is not tied itself.");
        int inputs = NetworkShape.InputWidth(network, source), own = NetworkShape.InputWidth(network, i);
        Require(
            own == units && dense.Units == inputs,
            $"network[{i}]: maps {own} values to {dense.Units}, but the transposed weight of layer {source} maps {units} to " +
            $"{inputs}; give this layer {inputs} units and {units} inputs.");
    }

    private static void CheckLoss(LayerSpec layer, int last, LossKind loss)
    {
        ActivationKind? activation = (layer as DenseSpec)?.Activation;
        if (loss == LossKind.CrossEntropy)
        {
            Require(
                activation == ActivationKind.Softmax,
                $"network[{last}]: cross-entropy needs outputs that are a distribution; make the last layer dense with " +
                "activation softmax, or choose another loss.");
        }
        else if (loss == LossKind.BinaryCrossEntropy)
        {
            Require(
                activation is ActivationKind.Sigmoid or ActivationKind.Softmax,
                $"network[{last}]: binary-cross-entropy needs outputs between 0 and 1; make the last layer dense with " +
                "activation sigmoid, or choose another loss.");
        }
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidInputException(message);
        }
    }
}
