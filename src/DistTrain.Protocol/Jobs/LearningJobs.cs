using DistTrain.Numerics.Layers;

namespace DistTrain.Protocol.Jobs;

/// <summary>Jobs by which a stage makes its own signal. They write the gradients of what the stage learns besides its
/// layers.</summary>
public abstract class LearningJob : StageJob
{
    private protected LearningJob(int inputs, int outputs, int stage, int replica)
        : base(inputs, outputs, stage, replica)
    {
    }

    /// <summary>Weight of a row: 1 / rows of the whole step.</summary>
    public double RowWeight { get; internal set; }

    /// <summary>Whether to add to the gradients that earlier micro-batches left.</summary>
    public bool Accumulate { get; internal set; }
}

/// <summary>
/// The stage's own loss. Inputs: [0] output, [1] targets, [2] the network's inputs or none, [3…] weight slices. Outputs:
/// [0] signal, [1…] gradient slices.
/// </summary>
public sealed class LocalLossJob(int stage, int replica, int slices) : LearningJob(3 + slices, 1 + slices, stage, replica)
{
    /// <summary>Result.</summary>
    public LossResult Result { get; set; }
}

/// <summary>A synthetic gradient. Inputs: [0] output, [1] targets or none, [2…] weight slices. Outputs: [0] signal.</summary>
public sealed class PredictJob(int stage, int replica, int slices) : LearningJob(2 + slices, 1, stage, replica);

/// <summary>
/// Fits a predictor. Inputs: [0] output, [1] targets or none, [2] the signal, [3…] weight slices; no rows where there is no
/// signal yet. Outputs: [0…] gradient slices.
/// </summary>
public sealed class FitJob(int stage, int replica, int slices) : LearningJob(3 + slices, slices, stage, replica);

/// <summary>
/// Targets. Inputs: [0] input, [1] output, [2] the stage's target, or on the last stage the gradient of its input, [3…] weight
/// slices. Outputs: [0] signal (none on the last stage), [1] target of the stage before (none on the first), [2…] gradient slices.
/// </summary>
public sealed class TargetJob(int stage, int replica, int slices) : LearningJob(3 + slices, 2 + slices, stage, replica);
