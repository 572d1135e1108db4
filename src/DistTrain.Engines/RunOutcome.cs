using DistTrain.Numerics.Layers;

namespace DistTrain.Engines;

/// <summary>How a run ended.</summary>
public enum RunStatus
{
    /// <summary>All epochs done, or early stopping ended it.</summary>
    Completed,

    /// <summary>Asked to stop; stopped at a committed step and can be resumed.</summary>
    Stopped,

    /// <summary>The loss of a step was not finite; that step was not committed.</summary>
    Diverged,

    /// <summary>A fault that it could not survive.</summary>
    Failed,
}

/// <summary>
/// What a run leaves behind. Disposing of it gives the memory of its parameters to the next run at once, where the garbage collector would take its time; arrays that
/// were read before stay.
/// </summary>
public sealed record RunOutcome : IDisposable
{
    /// <summary>How it ended.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>For people: which step and layer diverged and what to try, or which actor waits for what; empty when
    /// completed.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The last committed step.</summary>
    public required long Steps { get; init; }

    /// <summary>Completed epochs.</summary>
    public required int Epochs { get; init; }

    /// <summary>Loss over the training rows with the final weights, in evaluation form; NaN when there was no final
    /// evaluation.</summary>
    public double FinalLoss { get; init; } = double.NaN;

    /// <summary>Accuracy on the training rows with the final weights; null where the targets are not classes.</summary>
    public double? TrainAccuracy { get; init; }

    /// <summary>Accuracy on the test rows with the final weights; null without test rows or classes.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Loss on the test rows with the final weights; null without test rows.</summary>
    public double? TestLoss { get; init; }

    /// <summary>The committed parameters in layer order, in the run's precision, little-endian, each copied into its array when it is first read; empty for a run that
    /// failed.</summary>
    /// <exception cref="ObjectDisposedException">It is read for the first time after <see cref="Dispose"/>.</exception>
    public required IReadOnlyList<(ParameterSpec Spec, byte[] Values)> Parameters { get; init; }

    /// <summary>Messages handed to the wire or to another actor, by type, in ordinal order of the type's tag.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> MessagesByType { get; init; } = [];

    /// <summary>Bytes of the tensors in those messages, whether they were copied or lent.</summary>
    public long BytesSent { get; init; }

    /// <summary>Steps that were computed again after a recovery.</summary>
    public long StepsRedone { get; init; }

    /// <summary>Actor restarts.</summary>
    public int Restarts { get; init; }

    /// <summary>Training rows through the pipeline per second of training (evaluation apart), on the engine's clock.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>What front contribution did; null for other methods.</summary>
    public FrontContributionOutcome? FrontContribution { get; init; }

    /// <summary>From start to end.</summary>
    public TimeSpan Wall { get; init; }

    /// <summary>Virtual time; null where the engine's clock is real.</summary>
    public TimeSpan? Virtual { get; init; }

    /// <inheritdoc/>
    public void Dispose() => (Parameters as IDisposable)?.Dispose();
}
