namespace DistTrain.Protocol.Settings;

/// <summary>How long and in which portions a run trains.</summary>
/// <param name="Epochs">Passes over the training rows, at least 1.</param>
/// <param name="BatchSize">Rows of a whole step, over all replicas and micro-batches; 1 … training rows. The last, partial
/// batch of an epoch is kept.</param>
/// <param name="MicroBatches">Parts that each replica's rows of a step are split into, 1 …
/// <see cref="Limits.MicroBatchesMax"/>.</param>
/// <param name="Shuffle">A new order of rows each epoch.</param>
public sealed record TrainingSettings(int Epochs, int BatchSize, int MicroBatches = 1, bool Shuffle = true)
{
    /// <summary>Epochs between evaluations on the test rows; at least 1. The last epoch is always evaluated.</summary>
    public int EvaluateEvery { get; init; } = 1;

    /// <summary>Stop when the watched loss has not improved for this many evaluations in a row, at least 1; null for
    /// never.</summary>
    public int? EarlyStoppingPatience { get; init; }
}
