using DistTrain.Engines;

namespace DistTrain.Commands.Terminal;

/// <summary>How fast a run goes and how long it has to go, from its committed steps.</summary>
internal sealed class Pace
{
    private long _firstStep = -1;
    private TimeSpan _firstElapsed;
    private long _rows;
    private StepProgress _last;

    /// <summary>The last committed step.</summary>
    public StepProgress Last => _last;

    /// <summary>Rows per second since the first step that was seen; 0 while unknown.</summary>
    public double RowsPerSecond => Seconds > 0 ? _rows / Seconds : 0;

    /// <summary>Time to the end; null while unknown.</summary>
    public TimeSpan? Left
    {
        get
        {
            long done = _last.Step - _firstStep;
            return done > 0 && Seconds > 0 ? TimeSpan.FromSeconds(Seconds / done * (_last.TotalSteps - _last.Step)) : null;
        }
    }

    private double Seconds => (_last.Elapsed - _firstElapsed).TotalSeconds;

    /// <summary>Takes a step into account.</summary>
    public void Add(in StepProgress step)
    {
        if (_firstStep < 0)
        {
            // The first step carries start-up costs; the pace is counted from its end.
            (_firstStep, _firstElapsed) = (step.Step, step.Elapsed);
        }
        else
        {
            _rows += step.Rows;
        }

        _last = step;
    }

    /// <summary>The pace in words: rows per second and time left, where known.</summary>
    public override string ToString()
    {
        string rate = RowsPerSecond > 0 ? $"  {Words.Count(RowsPerSecond)} samples/s" : "";
        return Left is TimeSpan left && left > TimeSpan.FromSeconds(1) ? $"{rate}  {Words.Duration(left)} left" : rate;
    }
}
