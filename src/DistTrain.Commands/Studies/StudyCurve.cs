using DistTrain.Engines;

namespace DistTrain.Commands.Studies;

/// <summary>A point of a curve.</summary>
/// <param name="Step">The last step in it.</param>
/// <param name="Seconds">Training time, virtual, when that step was committed.</param>
/// <param name="Loss">Mean over the steps in it; null without arithmetic.</param>
/// <param name="Accuracy">Mean over the steps in it; null where targets are not classes.</param>
internal sealed record CurvePoint(long Step, double Seconds, double? Loss, double? Accuracy);

/// <summary>
/// Collects a run's curves: training loss and accuracy as means over a hundredth of the run, which smooths what single batches do, and
/// test loss and accuracy at evaluations.
/// </summary>
/// <param name="trainingTime">Turns the run's time into training time, in nanoseconds.</param>
/// <param name="hasArithmetic">Whether losses mean anything.</param>
internal sealed class StudyCurve(Func<long, long> trainingTime, bool hasArithmetic) : IRunObserver
{
    private const int Points = 100;
    private readonly List<CurvePoint> _training = [], _test = [];
    private double _loss, _accuracy;
    private int _steps;

    public IReadOnlyList<CurvePoint> Training => _training;

    public IReadOnlyList<CurvePoint> Test => _test;

    /// <inheritdoc/>
    public void OnStep(in StepProgress step)
    {
        _loss += step.Loss;
        _accuracy += step.Accuracy;
        _steps++;
        long each = Math.Max(1, (step.TotalSteps + Points - 1) / Points);
        if (step.Step % each != 0 && step.Step != step.TotalSteps)
        {
            return;
        }

        _training.Add(new CurvePoint(step.Step, Seconds(step.Elapsed), Known(_loss / _steps), Known(_accuracy / _steps)));
        (_loss, _accuracy, _steps) = (0, 0, 0);
    }

    /// <inheritdoc/>
    public void OnEpoch(EpochProgress epoch)
    {
        if (epoch.TestLoss is double loss && hasArithmetic)
        {
            _test.Add(new CurvePoint(epoch.Step, Seconds(epoch.Elapsed), Known(loss), Known(epoch.TestAccuracy ?? double.NaN)));
        }
    }

    /// <inheritdoc/>
    public void OnNotice(string text)
    {
    }

    private double? Known(double value) => hasArithmetic && double.IsFinite(value) ? value : null;

    private double Seconds(TimeSpan elapsed) => trainingTime(elapsed.Ticks * TimeSpan.NanosecondsPerTick) / 1e9;
}
