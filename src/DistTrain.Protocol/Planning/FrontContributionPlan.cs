using DistTrain.Numerics;
using DistTrain.Numerics.FrontContribution;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>What front contribution adds to a plan: the network that the final-layer actor trains, and what the first stage
/// contributes to it.</summary>
public sealed class FrontContributionPlan
{
    private FrontContributionPlan(RunSettings settings, int trainRows, int testRows)
    {
        NetworkSpec network = settings.Network;
        Inputs = network.Inputs;
        Shares = settings.Method.Shares;
        Outputs = ContributedSpec.OutputsOf(network.Layers[0]);
        Form = settings.Method.Form != ContributionForm.Auto
            ? settings.Method.Form
            : CostFirstLayer.Of(settings, trainRows, testRows).Cheaper(settings.Method.Shares);
        Features = Form == ContributionForm.Gram ? trainRows : Math.Min(trainRows, Inputs);
        HasBasis = Form == ContributionForm.Basis && trainRows < Inputs;
        int stepRows = Math.Min(settings.Training.BatchSize, trainRows);
        ContributedSpec first = new(
            network.Layers[0], Features, Form == ContributionForm.Gram, settings.Optimizer.ClipNorm is not null, stepRows);
        Histories = settings.Method.Collapse == Collapse.All ? HistoriesOf(settings, stepRows) : [];
        LayerSpec[] layers = [first, .. network.Layers.Skip(1)];
        foreach ((int layer, HistorySpec history) in Histories)
        {
            layers[layer] = history;
        }

        Network = new NetworkSpec(first.InputWidth, layers);
        Weight = new ParameterSpec("layers.0.weight", 0, Outputs, Inputs);
        Expanded = ExpandedOf(Weight);
        Tiles = [.. TilesOf(DataSplit.Train, trainRows, 0), .. TilesOf(DataSplit.Test, testRows, TileCount(trainRows))];
    }

    /// <summary>Gram or basis, never auto.</summary>
    public ContributionForm Form { get; }

    /// <summary>The network that is trained: its first layer contributed.</summary>
    public NetworkSpec Network { get; }

    /// <summary>The layers between the first and the last that are kept as histories, by index, in order; none unless every layer
    /// is collapsed.</summary>
    public IReadOnlyList<(int Layer, HistorySpec History)> Histories { get; }

    /// <summary>F: columns of the coordinates.</summary>
    public int Features { get; }

    /// <summary>h′: outputs of W x.</summary>
    public int Outputs { get; }

    /// <summary>d.</summary>
    public int Inputs { get; }

    /// <summary>First-stage actors, each with a contiguous share of the features.</summary>
    public int Shares { get; }

    /// <summary>Whether a basis must be computed; without one, the basis form takes the inputs as they are.</summary>
    public bool HasBasis { get; }

    /// <summary>W₀, which nobody updates.</summary>
    public ParameterSpec Weight { get; }

    /// <summary>W after the expansion; W₀ before it.</summary>
    public ParameterSpec Expanded { get; }

    /// <summary>The tiles in the order in which they are asked for.</summary>
    public IReadOnlyList<ContributionTilePlan> Tiles { get; }

    /// <summary>The plan of the method; null for other methods.</summary>
    public static FrontContributionPlan? For(RunSettings settings, int trainRows, int testRows)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.Method.Name == Methods.FrontContribution.MethodName ? new FrontContributionPlan(settings, trainRows, testRows) : null;
    }

    /// <summary>The features of a share: the first one and how many.</summary>
    public (int Start, int Count) FeaturesOf(int share) => EvenSplit.Part(Inputs, Shares, share);

    /// <summary>The parameter that keeps expanded weights, beside what a resumed run still needs.</summary>
    internal static ParameterSpec ExpandedOf(ParameterSpec weight) => weight with { Name = $"layers.{weight.Layer}.expanded" };

    // Layers without weights stay as they are.
    private static List<(int Layer, HistorySpec History)> HistoriesOf(RunSettings settings, int stepRows)
    {
        List<(int Layer, HistorySpec History)> histories = [];
        for (int layer = 1; layer < settings.Network.Layers.Count - 1; layer++)
        {
            if (HistorySpec.Of(settings.Network, layer, stepRows, settings.Optimizer.Momentum > 0) is HistorySpec history)
            {
                histories.Add((layer, history));
            }
        }

        return histories;
    }

    private static int TileCount(int rows) => (rows + ContributionTile.RowsMax - 1) / ContributionTile.RowsMax;

    private IEnumerable<ContributionTilePlan> TilesOf(DataSplit split, int rows, int index)
    {
        for (int first = 0; first < rows; first += ContributionTile.RowsMax)
        {
            int count = Math.Min(ContributionTile.RowsMax, rows - first);
            bool symmetric = split == DataSplit.Train && Form == ContributionForm.Gram;
            yield return new ContributionTilePlan(index++, split, first, count, symmetric ? first + count : Features, symmetric);
        }
    }
}
