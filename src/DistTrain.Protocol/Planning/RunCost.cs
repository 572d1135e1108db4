using DistTrain.Numerics;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// What a run would cost, from its plan alone. A floating-point operation is an addition or a multiplication of a matrix
/// product; messages are counted without
/// acknowledgements and retries, bytes are those of tensors, whether copied or lent.
/// </summary>
public sealed class RunCost
{
    private readonly RunPlan _plan;
    private readonly int _valueBytes;

    /// <summary>The cost of a plan.</summary>
    public RunCost(RunPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _plan = plan;
        _valueBytes = plan.Settings.Precision == Precision.Float32 ? sizeof(float) : sizeof(double);
    }

    /// <summary>Operations of a full step.</summary>
    public double OperationsPerStep => 2 * ProductsPerRow(training: true) * _plan.Settings.Training.BatchSize;

    /// <summary>Operations that come once: contributing and expanding; 0 for other methods.</summary>
    public double OperationsOnce => _plan.Front is not FrontContributionPlan front ? 0
        : 2 * (front.Form == ContributionForm.Gram ? FirstLayer.GramOnce : FirstLayer.BasisOnce);

    /// <summary>Operations of the whole run, evaluations included.</summary>
    public double Operations
    {
        get
        {
            TrainingSettings training = _plan.Settings.Training;
            double evaluated = _plan.TrainRows + (_plan.TestRows * Math.Ceiling((double)training.Epochs / training.EvaluateEvery));
            double trained = (double)_plan.TrainRows * training.Epochs;
            return OperationsOnce + (2 * ((ProductsPerRow(training: true) * trained) + (ProductsPerRow(training: false) * evaluated)));
        }
    }

    /// <summary>Messages of a step.</summary>
    public long MessagesPerStep
    {
        get
        {
            long slices = _plan.TrainedSlices, shards = _plan.Topology.Shards, replicas = _plan.Settings.Replicas;
            long decided = _plan.NeedsDecision ? slices + shards : 0;
            return _plan.Participants.Count + (3 * shards) + (2 * slices * replicas) + replicas + (2 * Boundaries.Count() * MicroBatches) + decided;
        }
    }

    /// <summary>Tensor bytes of a full step: gradients and weights, activations and signals.</summary>
    public double BytesPerStep =>
        _valueBytes * ((2.0 * Values(_plan.Slices.Take(_plan.TrainedSlices)) * _plan.Settings.Replicas)
            + (2.0 * Boundaries.Sum() * _plan.Settings.Training.BatchSize));

    /// <summary>Tensor bytes that come once: contributions, coefficients and expanded weights.</summary>
    public double BytesOnce
    {
        get
        {
            if (_plan.Front is not FrontContributionPlan front)
            {
                return 0;
            }

            double tiles = front.Tiles.Sum(tile => (double)tile.Rows * (tile.Columns + front.Outputs));
            double coefficients = States * _plan.CoefficientSlices.Sum(slice => (double)_plan.Slices[slice].Length);
            return _valueBytes * ((front.Shares * (tiles + coefficients + front.Weight.Length)) + (States * front.Expanded.Length));
        }
    }

    /// <summary>Bytes that the largest layer actor keeps: contributions, two versions of its weights and its gradient.</summary>
    public double LayerActorBytes
    {
        get
        {
            double contributions = _plan.Front is not FrontContributionPlan front
                ? 0
                : ((double)_plan.TrainRows + _plan.TestRows) * (front.Features + front.Outputs);
            return _valueBytes * (contributions + (3 * _plan.Stages.Max(stage => stage.Slices.Sum(slice => (double)_plan.Slices[slice].Length))));
        }
    }

    /// <summary>Bytes that the largest shard keeps: two versions of weights and optimizer state, and a gradient; of what no
    /// step updates one version.</summary>
    public double ShardBytes => _valueBytes * _plan.Slices.GroupBy(slice => slice.Shard)
        .Max(shard => shard.Sum(slice => (double)slice.Length * (slice.Frozen ? slice.Index == _plan.WeightSlice ? 1 : States : (2 * States) + 1)));

    private FrontContributionCost FirstLayer => new(_plan.Settings, _plan.TrainRows, _plan.TestRows);

    private long MicroBatches => (long)_plan.Settings.Training.MicroBatches * _plan.Settings.Replicas;

    private int States => 1 + (_plan.Settings.Optimizer switch
    {
        { Kind: OptimizerKind.Sgd, Momentum: 0 } => 0,
        { Kind: OptimizerKind.Adam or OptimizerKind.AdamW or OptimizerKind.AdaDelta } => 2,
        _ => 1,
    });

    /// <summary>Widths between stages that pass on activations.</summary>
    private IEnumerable<double> Boundaries => _plan.Front is null
        ? _plan.Stages.Skip(1).Select(stage => (double)WidthBefore(stage.FirstLayer))
        : [];

    private static double Values(IEnumerable<SlicePlan> slices) => slices.Sum(slice => (double)slice.Length);

    private int WidthBefore(int layer)
    {
        int width = _plan.Settings.Network.Inputs;
        foreach (LayerSpec before in _plan.Settings.Network.Layers.Take(layer))
        {
            width = UnitsOf(before) ?? width;
        }

        return width;
    }

    private static int? UnitsOf(LayerSpec layer) => layer switch
    {
        DenseSpec dense => dense.Units,
        MaxoutSpec maxout => maxout.Units,
        KCompetitiveSpec k => k.Units,
        _ => null,
    };

    /// <summary>Products of a row: forward, and in training the gradients of weights and, behind the first layer, of
    /// inputs.</summary>
    private double ProductsPerRow(bool training)
    {
        double sum = 0;
        for (int layer = 0; layer < _plan.Settings.Network.Layers.Count; layer++)
        {
            double outputs = ContributedSpec.OutputsOf(_plan.Settings.Network.Layers[layer]);
            bool contributed = layer == 0 && _plan.Front is not null;
            double inputs = contributed ? _plan.Front!.Features : WidthBefore(layer);
            bool scatters = contributed && _plan.Front!.Form == ContributionForm.Gram;
            sum += inputs * outputs * (!training || scatters ? 1 : layer == 0 ? 2 : 3);
        }

        return sum;
    }
}
