using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Learning;

/// <summary>The small networks that local rules learn beside the stages.</summary>
internal static class AuxiliaryNetworks
{
    /// <summary>Those of a rule; the tensors of a rule are theirs, one network after the other.</summary>
    public static NetworkSpec[] Of(LocalRuleSpec spec) => spec.Kind switch
    {
        _ when spec.IsLastStage => [],
        LocalRuleKind.Prediction => [Classifier(spec)],
        LocalRuleKind.Similarity => [SimilarityMap(spec)],
        LocalRuleKind.PredictionAndSimilarity => [Classifier(spec), SimilarityMap(spec)],
        LocalRuleKind.GradientPredictor => [Predictor(spec)],
        LocalRuleKind.DifferenceTarget when spec.FirstLayer > 0 => [Inverse(spec)],
        _ => [],
    };

    /// <summary>Stage output → network output, one layer with the final layer's activation.</summary>
    public static NetworkSpec Classifier(LocalRuleSpec spec)
    {
        var final = spec.Network.Layers[^1] as DenseSpec;
        var layer = new DenseSpec(Outputs(spec), final?.Activation ?? ActivationKind.Linear, Slope: final?.Slope);
        return new NetworkSpec(Width(spec), [layer]);
    }

    /// <summary>Stage output → as many values, linear and without bias.</summary>
    public static NetworkSpec SimilarityMap(LocalRuleSpec spec)
        => new(Width(spec), [new DenseSpec(Width(spec), ActivationKind.Linear, Bias: false)]);

    /// <summary>Stage output, with the targets behind it if conditioned → signal.</summary>
    public static NetworkSpec Predictor(LocalRuleSpec spec)
    {
        int inputs = Width(spec) + (spec.Conditioned ? Outputs(spec) : 0);
        IEnumerable<LayerSpec> hidden = spec.HiddenUnits.Select(units => new DenseSpec(units, spec.HiddenActivation));
        return new NetworkSpec(inputs, [.. hidden, new DenseSpec(Width(spec), ActivationKind.Linear)]);
    }

    /// <summary>
    /// Stage output → stage input, one layer with the activation of the layer before the stage, so that what it gives lies where
    /// those outputs lie; tanh where that layer has none. Dropout layers in between do not count.
    /// </summary>
    public static NetworkSpec Inverse(LocalRuleSpec spec)
    {
        int before = spec.FirstLayer - 1;
        while (before >= 0 && spec.Network.Layers[before] is DropoutSpec)
        {
            before--;
        }

        var source = (before < 0 ? null : spec.Network.Layers[before]) as DenseSpec;
        int inputs = NetworkShape.InputWidth(spec.Network, spec.FirstLayer);
        var layer = new DenseSpec(inputs, source?.Activation ?? ActivationKind.Tanh, Slope: source?.Slope);
        return new NetworkSpec(Width(spec), [layer]);
    }

    private static int Width(LocalRuleSpec spec) => NetworkShape.InputWidth(spec.Network, spec.LastLayer + 1);

    private static int Outputs(LocalRuleSpec spec) => NetworkShape.InputWidth(spec.Network, spec.Network.Layers.Count);
}
