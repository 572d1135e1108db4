namespace DistTrain.Engines;

/// <summary>Times the steps of a run from commit to commit, so that neither its start nor its end counts.</summary>
public sealed class StepClock : IRunObserver
{
    private readonly List<TimeSpan> _commits = [];

    /// <summary>Mean seconds of a step; 0 for a run of fewer than two.</summary>
    public double SecondsPerStep => _commits.Count > 1 ? (_commits[^1] - _commits[0]).TotalSeconds / (_commits.Count - 1) : 0;

    /// <summary>
    /// Seconds of a step in the quantile of all stretches of so many steps. A low one is that of an undisturbed run where others use the machine too: they
    /// make most stretches longer and none shorter.
    /// </summary>
    /// <param name="quantile">From 0 to 1.</param>
    /// <param name="stretch">Steps, at least 1.</param>
    public double Quantile(double quantile, int stretch)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(stretch, 1);
        if (_commits.Count <= stretch)
        {
            return SecondsPerStep;
        }

        double[] seconds = [.. Enumerable.Range(0, _commits.Count - stretch).Select(first => (_commits[first + stretch] - _commits[first]).TotalSeconds / stretch)];
        Array.Sort(seconds);
        return seconds[(int)(quantile * (seconds.Length - 1))];
    }

    /// <inheritdoc/>
    public void OnStep(in StepProgress step) => _commits.Add(step.Elapsed);

    /// <inheritdoc/>
    public void OnEpoch(EpochProgress epoch)
    {
    }

    /// <inheritdoc/>
    public void OnNotice(string text)
    {
    }
}
