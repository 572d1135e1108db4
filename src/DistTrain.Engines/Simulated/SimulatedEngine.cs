using DistTrain.Engines.Shared.Front;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// Runs the actors on one thread and a virtual clock, with a network and machines as <see cref="SimulationSettings"/> describe them. The same request gives the
/// same journal in any process. Observers hear virtual times.
/// </summary>
public sealed class SimulatedEngine : IEngine
{
    /// <summary>The name in experiment files.</summary>
    public const string EngineName = "simulated";

    /// <inheritdoc/>
    public string Name => EngineName;

    /// <inheritdoc/>
    public string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<SettingsProblem> problems = [.. SettingsChecks.Problems(request.Settings, request.Data.TrainRows)];
        if (problems.Count == 0)
        {
            problems.AddRange(SimulationChecks.Problems(request));
        }

        if (problems.Count > 0)
        {
            return string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Message}"));
        }

        return request.Simulation.TimingOnly ? null : FrontMemory.Refuses(request, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <inheritdoc/>
    public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(observer);
        using SimulatedRun run = new(request, observer);
        return run.ToEnd(stop);
    }
}
