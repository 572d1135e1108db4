using System.Globalization;

namespace DistTrain.Benchmarks;

/// <summary>What a peer trains: dense layers, SGD.</summary>
/// <param name="Sizes">Widths from inputs to outputs.</param>
/// <param name="Rows">Training rows.</param>
/// <param name="Batch">Rows of a step.</param>
/// <param name="Epochs">Passes over the rows in one round.</param>
/// <param name="Momentum">μ; 0 for none.</param>
internal readonly record struct PeerTraining(IReadOnlyList<int> Sizes, int Rows, int Batch, int Epochs, double Momentum)
{
    /// <summary>Steps of one round.</summary>
    public long Steps => (long)Epochs * ((Rows + Batch - 1) / Batch);

    /// <summary>The arguments of the peers' scripts.</summary>
    public string[] Arguments =>
    [
        string.Join(',', Sizes),
        .. new[] { Rows, Batch, Epochs }.Select(number => number.ToString(CultureInfo.InvariantCulture)),
        Momentum.ToString(CultureInfo.InvariantCulture),
    ];
}
