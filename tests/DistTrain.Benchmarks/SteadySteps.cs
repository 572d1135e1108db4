using System.Diagnostics;
using DistTrain.Engines;

namespace DistTrain.Benchmarks;

/// <summary>Takes the time from one committed step to the last.</summary>
/// <param name="from">The step; those before warm everything up.</param>
internal sealed class SteadySteps(long from) : IRunObserver
{
    private long _start, _last, _steps;

    /// <summary>The mean.</summary>
    public double MicrosecondsPerStep => Stopwatch.GetElapsedTime(_start, _last).TotalMicroseconds / _steps;

    public void OnStep(in StepProgress step)
    {
        if (step.Step == from)
        {
            _start = Stopwatch.GetTimestamp();
        }
        else if (step.Step > from)
        {
            (_last, _steps) = (Stopwatch.GetTimestamp(), step.Step - from);
        }
    }

    public void OnEpoch(EpochProgress epoch)
    {
    }

    public void OnNotice(string text)
    {
    }
}
