using DistTrain.Engines.Shared.Front;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Threads;

/// <summary>Runs the actors on the compute threads of this process; messages go by reference.</summary>
public sealed class ThreadsEngine(TimeProvider? time = null) : IEngine
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public string Name => "threads";

    /// <inheritdoc/>
    public string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        IReadOnlyList<SettingsProblem> problems = SettingsChecks.Problems(request.Settings, request.Data.TrainRows);
        if (problems.Count == 0 && request.Faults.Count > 0)
        {
            return $"faults: engine threads does not serve '{request.Faults[0].Name}' faults; expected engine: simulated, or no faults";
        }

        return problems.Count == 0
            ? FrontMemory.Refuses(request, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)
            : string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Message}"));
    }

    /// <inheritdoc/>
    public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(observer);
        using ThreadsRun run = new(request, observer, _time);
        return run.ToEnd(stop);
    }
}
