using DistTrain.Numerics;
using DistTrain.Numerics.Networks;

namespace DistTrain.Commands.Experiments;

/// <summary>
/// Which layers can stand in stages of their own: a dropout layer has no work of its own and joins the stage before it (or the
/// first), and a tied layer shares a weight, so all layers from that weight's owner on stand in one stage.
/// </summary>
internal static class StageSplit
{
    /// <summary>Layers per stage, one stage per separable group.</summary>
    public static IReadOnlyList<int> Default(IReadOnlyList<LayerSpec> layers)
    {
        bool[] starts = new bool[layers.Count];
        bool anyWeights = false;
        for (int i = 0; i < layers.Count; i++)
        {
            // Dropout layers before the first weights join the stage of those weights.
            starts[i] = i == 0 || layers[i] is not DropoutSpec && anyWeights;
            anyWeights |= layers[i] is not DropoutSpec;
        }

        for (int i = 0; i < layers.Count; i++)
        {
            if (layers[i] is DenseSpec { TiedTo: int owner })
            {
                Array.Fill(starts, false, owner + 1, i - owner);
            }
        }

        List<int> counts = [];
        foreach (bool start in starts)
        {
            if (start)
            {
                counts.Add(0);
            }

            counts[^1]++;
        }

        return counts;
    }

    /// <summary>The separable groups dealt evenly, in order, to a number of stages of at most their number.</summary>
    public static IReadOnlyList<int> Into(IReadOnlyList<LayerSpec> layers, int stages)
    {
        IReadOnlyList<int> groups = Default(layers);
        return [.. Enumerable.Range(0, stages).Select(stage =>
        {
            (int start, int count) = EvenSplit.Part(groups.Count, stages, stage);
            return groups.Skip(start).Take(count).Sum();
        })];
    }
}
