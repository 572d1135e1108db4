using DistTrain.Numerics.Networks;

namespace DistTrain.Numerics.Layers;

/// <summary>Widths between the layers of a network.</summary>
public static class NetworkShape
{
    /// <summary>
    /// Columns of the input of layer <paramref name="layer"/>; for the layer count, those of the network's output.
    /// </summary>
    public static int InputWidth(NetworkSpec network, int layer)
    {
        int width = network.Inputs;
        for (int i = 0; i < layer; i++)
        {
            width = OutputWidth(network.Layers[i], width);
        }

        return width;
    }

    private static int OutputWidth(LayerSpec layer, int inputWidth) => layer switch
    {
        DenseSpec dense => dense.Units,
        MaxoutSpec maxout => maxout.Units,
        KCompetitiveSpec k => k.Units,
        ContributedSpec contributed => OutputWidth(contributed.Inner, inputWidth),
        HistorySpec history => OutputWidth(history.Inner, inputWidth),
        _ => inputWidth,
    };
}
