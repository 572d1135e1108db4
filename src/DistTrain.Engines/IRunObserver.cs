namespace DistTrain.Engines;

/// <summary>Listens to a run. Called from one thread at a time, in commit order; must return quickly.</summary>
public interface IRunObserver
{
    /// <summary>A step was committed.</summary>
    void OnStep(in StepProgress step);

    /// <summary>An epoch was completed and, when due, evaluated.</summary>
    void OnEpoch(EpochProgress epoch);

    /// <summary>Something worth a line: a snapshot, a restart, a recovery.</summary>
    void OnNotice(string text);

    /// <summary>A snapshot is complete: the run can go on from it, and its parameters can be read (<see cref="Journal.ReadParameters"/>).</summary>
    /// <param name="step">The committed step that it is of.</param>
    void OnSnapshot(long step) => OnNotice($"snapshot of step {step}");

    /// <summary>A fault of the request began.</summary>
    /// <param name="fault">In words.</param>
    /// <param name="elapsed">Since the run's start, on the engine's clock.</param>
    void OnFault(string fault, TimeSpan elapsed) => OnNotice($"fault: {fault}");
}

/// <summary>A committed step.</summary>
/// <param name="Step">From 1.</param>
/// <param name="TotalSteps">Steps of the whole run.</param>
/// <param name="Loss">Mean loss over the step's rows, before its update.</param>
/// <param name="Accuracy">Share of rows classified right, before the update; NaN where the targets are not classes.</param>
/// <param name="Rows">Rows of the step.</param>
/// <param name="LearningRate">η of the step.</param>
/// <param name="Clock">The run's.</param>
public readonly record struct StepProgress(
    long Step, long TotalSteps, double Loss, double Accuracy, int Rows, double LearningRate, RunClock Clock)
{
    /// <summary>
    /// Since the run's start, at the moment of asking: for whoever hears of the step, when it was committed. Nothing is read for those who do not ask, because reading a clock takes as
    /// long as a fourteenth of a small network's step.
    /// </summary>
    public TimeSpan Elapsed => Clock?.Elapsed ?? TimeSpan.Zero;
}

/// <summary>A completed epoch.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Epochs">Planned epochs.</param>
/// <param name="Step">The epoch's last step.</param>
/// <param name="TrainLoss">Mean over the epoch's rows, each before its step's update.</param>
/// <param name="TrainAccuracy">As the loss; NaN where the targets are not classes.</param>
/// <param name="TestLoss">On the test rows after the epoch; null when not evaluated.</param>
/// <param name="TestAccuracy">On the test rows after the epoch; null when not evaluated or not classes.</param>
/// <param name="Elapsed">Since the run's start.</param>
public sealed record EpochProgress(
    int Epoch, int Epochs, long Step, double TrainLoss, double TrainAccuracy, double? TestLoss, double? TestAccuracy, TimeSpan Elapsed);
