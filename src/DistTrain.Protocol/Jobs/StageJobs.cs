using DistTrain.Numerics.Layers;
using DistTrain.Protocol.Methods;

namespace DistTrain.Protocol.Jobs;

/// <summary>What the jobs of a layer actor share: which rows they are about.</summary>
public abstract class StageJob : Job
{
    private protected StageJob(int inputs, int outputs, int stage, int replica)
        : base(inputs, outputs)
    {
        Stage = stage;
        Replica = replica;
    }

    /// <summary>The stage.</summary>
    public int Stage { get; }

    /// <summary>The replica.</summary>
    public int Replica { get; }

    /// <summary>Training step, from 1; 0 in evaluation.</summary>
    public long Step { get; internal set; }

    /// <summary>Index of the first row: within the whole step when training, within the split in evaluation.</summary>
    public int FirstRow { get; internal set; }

    /// <summary>Number of rows; may be 0.</summary>
    public int Rows { get; internal set; }

    /// <summary>Micro-batch of the step, from 0; 0 in evaluation.</summary>
    public int MicroBatch { get; internal set; }

    /// <summary>The step whose update what is computed goes into, from 1; 0 in evaluation.</summary>
    public long UpdateStep { get; internal set; }

    /// <summary>Passes: the step after which the weights are; −1 where there are none.</summary>
    public long WeightStep { get; internal set; } = -1;

    /// <summary>Training form (dropout, competition) or evaluation form.</summary>
    public bool Training { get; internal set; }

    /// <summary>The rows' source.</summary>
    public DataSplit Split { get; internal set; }
}

/// <summary>
/// Loads inputs or targets. Inputs: none, or where inputs are contributions, [0] S₀ and [1] Φ of the split's rows. Outputs:
/// [0] rows × width.
/// </summary>
public sealed class LoadBatchJob(int stage, int replica) : StageJob(2, 1, stage, replica)
{
    /// <summary>Targets instead of inputs.</summary>
    public bool Targets { get; internal set; }
}

/// <summary>Forward pass. Inputs: [0] rows × input width, [1…] the stage's weight slices. Outputs: [0] rows × output width,
/// [1] stash.</summary>
public sealed class ForwardJob(int stage, int replica, int slices) : StageJob(1 + slices, 2, stage, replica)
{
    /// <summary>Result: first layer of the network with a value that is not finite, or −1.</summary>
    public int NonFiniteLayer { get; set; } = -1;
}

/// <summary>Loss and its gradient. Inputs: [0] output, [1] stash, [2] target. Outputs: [0] signal, when training.</summary>
public sealed class LossJob(int stage, int replica) : StageJob(3, 1, stage, replica)
{
    /// <summary>Weight of a row: 1 / rows of the whole step, over all replicas and micro-batches.</summary>
    public double RowWeight { get; internal set; }

    /// <summary>Result.</summary>
    public LossResult Result { get; set; }
}

/// <summary>
/// Backward pass. Inputs: [0] input, [1] output, [2] stash, [3] signal (on a direct path the error of the network's output),
/// [4…] weight slices. Outputs: [0] gradient of the input, where it is passed on, [1…] gradient slices.
/// </summary>
public sealed class BackwardJob(int stage, int replica, int slices) : StageJob(4 + slices, 1 + slices, stage, replica)
{
    /// <summary>What the signal passes through.</summary>
    public BackwardPath Path { get; init; }

    /// <summary>Whether the gradient of the input is asked for.</summary>
    public bool PassesSignal { get; init; }

    /// <summary>Whether to add to the gradients that earlier micro-batches left.</summary>
    public bool Accumulate { get; internal set; }
}

/// <summary>
/// Multiplies out the gradients of a stage's large weights for the micro-batches whose backward passes left factors behind them (<see cref="Planning.RunPlan.CollectedMicroBatches"/>):
/// <see cref="StageJob.MicroBatch"/> is the last of them, <see cref="StageJob.Rows"/> those of all. Outputs: [0…] gradient slices, as backward passes left them.
/// </summary>
public sealed class GradientJob(int stage, int replica, int slices) : StageJob(0, slices, stage, replica)
{
    /// <summary>How many micro-batches.</summary>
    public int MicroBatches { get; internal set; }
}

/// <summary>Encodes a gradient slice. Inputs: [0] gradient, [1] error-feedback residual or none. Outputs: [0] encoded, [1]
/// next residual.</summary>
public sealed class CompressJob(int stage, int replica) : StageJob(2, 2, stage, replica)
{
    /// <summary>The slice.</summary>
    public int Slice { get; internal set; }
}
