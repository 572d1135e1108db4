namespace DistTrain.Engines.Faults;

/// <summary>When a fault begins: when the coordinator first issues a step, or after a time on the engine's clock. The default is the start of the run.</summary>
public readonly record struct FaultTime
{
    /// <summary>The step, from 1; null for a time.</summary>
    public long? Step { get; private init; }

    /// <summary>The time since the run's start; counts where there is no step.</summary>
    public TimeSpan After { get; private init; }

    /// <summary>When the coordinator first issues a step.</summary>
    public static FaultTime AtStep(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        return new FaultTime { Step = step };
    }

    /// <summary>After a time since the run's start.</summary>
    public static FaultTime AfterTime(TimeSpan after)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(after, TimeSpan.Zero);
        return new FaultTime { After = after };
    }
}
