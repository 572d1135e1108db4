using DistTrain.Commands.Experiments;
using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Akka.Clients;

/// <summary>Has a cluster train. This process is the console and hosts no actor.</summary>
/// <param name="target">The cluster, looked up when a run starts; throws <see cref="InvalidInputException"/> where none is named.</param>
/// <param name="time">The clock; null for the system's.</param>
internal sealed class AkkaEngine(Func<ClusterTarget> target, TimeProvider? time = null) : IEngine
{
    /// <inheritdoc/>
    public string Name => ClusterExperiment.EngineName;

    /// <inheritdoc/>
    public string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<SettingsProblem> problems = [.. SettingsChecks.Problems(request.Settings, request.Data.TrainRows)];
        if (request.Settings.Durability != Durability.Memory && ClusterLog.Problem(request.Settings) is string problem)
        {
            problems.Add(new SettingsProblem("durability", problem));
        }

        if (request.Settings.BackupAfter is not null)
        {
            problems.Add(new SettingsProblem("backup-after", "a cluster starts no backups for stragglers; expected engine threads or simulated, or no backup-after"));
        }

        if (problems.Count == 0 && SizeChecks.FrameProblem(new RunPlan(request.Settings, request.Data.TrainRows, request.Data.TestRows)) is SettingsProblem size)
        {
            problems.Add(size);
        }

        if (request.Faults.Count > 0)
        {
            problems.Add(new SettingsProblem("faults", "a cluster has faults of its own; expected engine: simulated, or no faults"));
        }

        if (problems.Count > 0)
        {
            return string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Message}"));
        }

        if (request.Trace is not null)
        {
            return "engine: akka records no trace; expected threads or simulated";
        }

        return request.Experiment is null
            ? "engine: akka needs an experiment that its nodes can read, and this run has none; expected threads or simulated"
            : FrontMemory.Refuses(request, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <inheritdoc/>
    public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(observer);
        using ClientRun run = new(request, observer, target(), time ?? TimeProvider.System);
        return run.ToEnd(stop);
    }
}
