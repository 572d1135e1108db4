using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Effects;

/// <summary>What a machine tells the outside. A closed family. Steps and epochs are reported once committed, never
/// before.</summary>
public abstract record Report
{
    private protected Report()
    {
    }
}

/// <summary>A step was committed.</summary>
public sealed record StepCommitted(long Step, double LossSum, int Correct, int Rows, double LearningRate) : Report;

/// <summary>An epoch was completed and, where due, evaluated on the test rows.</summary>
public sealed record EpochCompleted(
    int Epoch, long Step, double TrainLoss, double TrainAccuracy, double? TestLoss, double? TestAccuracy) : Report;

/// <summary>A split was evaluated with the weights of a committed step.</summary>
public sealed record EvaluationCompleted(long Step, DataSplit Split, double Loss, double Accuracy) : Report;

/// <summary>A snapshot of a committed step is complete.</summary>
public sealed record SnapshotCompleted(long Step) : Report;

/// <summary>The run went back to a committed step.</summary>
/// <param name="Epoch">The new epoch.</param>
/// <param name="Step">The step gone on from.</param>
/// <param name="StepsRedone">Issued steps that are computed again.</param>
public sealed record Recovered(int Epoch, long Step, long StepsRedone) : Report;

/// <summary>From now on the final-layer actor trains alone, or no longer does: no message to or from any other layer actor
/// in between.</summary>
public sealed record TrainsAlone(bool Alone) : Report;

/// <summary>The run is over and may be shut down; the last snapshot holds the model.</summary>
public sealed record RunEnded(RunEnd End, long Step, string Reason) : Report;

/// <summary>How a run ended.</summary>
public enum RunEnd
{
    /// <summary>All steps done or early stopping.</summary>
    Completed,

    /// <summary>Asked to stop.</summary>
    Stopped,

    /// <summary>A loss was not finite.</summary>
    Diverged,

    /// <summary>A fault that cannot be survived.</summary>
    Failed,
}
