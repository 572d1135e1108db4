using DistTrain.Engines;

namespace DistTrain.Commands.Runs;

/// <summary>
/// Writes what a run reports to its log before showing it. A disk that fails must not surface inside the engine: the run is asked
/// to stop at a committed step, and the failure is kept for the command.
/// </summary>
internal sealed class RecordingObserver(MetricsLog log, IRunObserver display, CancellationTokenSource stop, HealthMonitor? health = null) : IRunObserver
{
    /// <summary>Why the log could not be written; null when it could.</summary>
    public IOException? Failure { get; private set; }

    /// <inheritdoc/>
    public void OnStep(in StepProgress step)
    {
        try
        {
            log.Step(step);
        }
        catch (IOException failure)
        {
            Keep(failure);
        }

        display.OnStep(step);
    }

    /// <inheritdoc/>
    public void OnEpoch(EpochProgress epoch)
    {
        try
        {
            log.Epoch(epoch);
        }
        catch (IOException failure)
        {
            Keep(failure);
        }

        display.OnEpoch(epoch);
    }

    /// <inheritdoc/>
    public void OnNotice(string text) => display.OnNotice(text);

    /// <inheritdoc/>
    public void OnSnapshot(long step)
    {
        health?.Look(step);
        display.OnSnapshot(step);
    }

    /// <inheritdoc/>
    public void OnFault(string fault, TimeSpan elapsed) => display.OnFault(fault, elapsed);

    private void Keep(IOException failure)
    {
        Failure ??= failure;
        stop.Cancel();
    }
}
