namespace DistTrain.Engines.Processes;

/// <summary>When a process that ended is started again: at once the first time, then with doubling waits, until a step is committed.</summary>
internal sealed class RestartPolicy
{
    private int _fruitless;
    private long _committedBefore = -1;

    /// <summary>Restarts so far.</summary>
    public int Restarts { get; private set; }

    /// <summary>The process ended after so many commits of the run; returns the wait before its restart, or null when it ended too often.</summary>
    public TimeSpan? OnEnded(long commits)
    {
        _fruitless = commits > _committedBefore ? 0 : _fruitless + 1;
        _committedBefore = commits;
        Restarts++;
        if (_fruitless >= ProcessesLimits.FruitlessRestartsMax || Restarts > Protocol.Settings.Limits.RestartsPerActorMax)
        {
            return null;
        }

        return _fruitless == 0 ? TimeSpan.Zero : ProcessesLimits.RestartFirst * Math.Pow(2, _fruitless - 1);
    }
}
