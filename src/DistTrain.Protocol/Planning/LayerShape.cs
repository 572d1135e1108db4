using DistTrain.Numerics.Networks;

namespace DistTrain.Protocol.Planning;

/// <summary>What a layer's passes multiply and go through value by value.</summary>
/// <param name="Inputs">Columns of the product's left operand.</param>
/// <param name="Products">Columns of its result.</param>
/// <param name="Outputs">Columns behind the activation.</param>
/// <param name="Activation">The activation, or the one that takes about as long.</param>
/// <param name="HasGradientProduct">Whether the backward pass forms the weight's gradient by a product.</param>
/// <param name="IsCollected">Whether that product is formed for several micro-batches at a time.</param>
/// <param name="IsFused">Whether the signal of the network's loss is that of the product's result.</param>
internal sealed record LayerShape(int Inputs, int Products, int Outputs, ActivationKind Activation, bool HasGradientProduct, bool IsCollected, bool IsFused)
{
    /// <summary>Whether there is a product at all.</summary>
    public bool HasWeight => Products > 0;

    /// <summary>The layers of a stage; under front contribution of the stages that train.</summary>
    public static LayerShape[] Of(RunPlan plan, StagePlan stage)
    {
        int width = plan.Network.Inputs;
        LayerShape[] shapes = new LayerShape[plan.Network.Layers.Count];
        for (int layer = 0; layer < shapes.Length; layer++)
        {
            bool isCollected = plan.Parameters.Any(place => place.Parameter.Layer == layer && plan.IsCollected(place.Parameter));
            shapes[layer] = Of(plan.Network.Layers[layer], width, plan.IsFactored(layer), isCollected);
            width = shapes[layer].Outputs;
        }

        return shapes[stage.FirstLayer..(stage.FirstLayer + stage.LayerCount)];
    }

    private static LayerShape Of(LayerSpec spec, int width, bool isFactored, bool isCollected)
    {
        LayerSpec inner = spec switch
        {
            ContributedSpec contributed => contributed.Inner,
            HistorySpec history => history.Inner,
            LayerSpec own => own,
        };
        int products = ContributedSpec.OutputsOf(inner), inputs = spec is ContributedSpec given ? given.Features : width;
        int outputs = inner is MaxoutSpec maxout ? maxout.Units : products > 0 ? products : width;
        ActivationKind activation = inner switch
        {
            DenseSpec dense => dense.Activation,
            KCompetitiveSpec => ActivationKind.Tanh,
            _ => ActivationKind.Relu,
        };
        bool gathers = isFactored || spec is HistorySpec or ContributedSpec { Scatter: true };
        return new LayerShape(inputs, products, outputs, activation, !gathers, isCollected, activation is ActivationKind.Softmax or ActivationKind.Sigmoid);
    }
}
