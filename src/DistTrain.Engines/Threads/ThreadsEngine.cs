using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared.Front;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Threads;

/// <summary>Runs the actors on the compute threads of this process; messages go by reference.</summary>
public sealed class ThreadsEngine(TimeProvider? time = null) : IEngine
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The name in experiment files.</summary>
    public const string EngineName = "threads";

    /// <inheritdoc/>
    public string Name => EngineName;

    /// <inheritdoc/>
    public string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<SettingsProblem> problems = [.. SettingsChecks.Problems(request.Settings, request.Data.TrainRows)];
        if (problems.Count == 0 && request.Faults.Count > 0)
        {
            RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
            problems.AddRange(FaultChecks.Problems(request.Faults, plan.Topology, ThreadsFaults.Refuses));
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
