using System.Numerics;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Numerics.Learning;

/// <summary>Fixed random matrices that carry errors back: a pure function of the seed and the layer.</summary>
public static class FeedbackMatrices
{
    // Steps of the keys. The first one leaves room for a bias's, which uniform(a, b) would draw.
    private const int ThroughLayers = 0, Direct = 2;

    /// <summary>
    /// Fills the feedback of one weight for feedback alignment, row by row, from the distribution of that layer's initial weights
    /// but independent of them.
    /// </summary>
    /// <exception cref="ArgumentException">The parameter is no weight.</exception>
    public static void Fill<T>(NetworkSpec network, ParameterSpec weight, ulong seed, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(weight);
        if (!weight.Name.EndsWith(".weight", StringComparison.Ordinal))
        {
            throw new ArgumentException($"{weight.Name} is no weight; signals do not pass through it.", nameof(weight));
        }

        var streams = new InitialStreams(seed, RandomPurpose.Feedback, weight.Layer, ThroughLayers);
        ParameterInitializer.Fill(network, weight, streams, values);
    }

    /// <summary>
    /// Fills the matrix from the network's error to a layer's output for direct feedback alignment, row by row: uniform in
    /// ± scale / √width, width being the fan-out of the matrix (as in the experiments of Nøkland 2016).
    /// </summary>
    /// <param name="layer">Index of the layer in the network.</param>
    /// <param name="outputs">Outputs of the network: the matrix's rows.</param>
    /// <param name="width">Outputs of the layer: the matrix's columns.</param>
    /// <param name="scale">Factor on all values; 1 is usual.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="values">Outputs · width values.</param>
    public static void FillDirect<T>(int layer, int outputs, int width, double scale, ulong seed, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, outputs * width);
        double bound = scale / Math.Sqrt(width);
        ParameterInitializer.Draw(new RandomStream(seed, RandomPurpose.Feedback, layer, step: Direct), -bound, bound, values);
    }
}
