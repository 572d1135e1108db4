using DistTrain.Commands.Runs;
using DistTrain.Engines;
using DistTrain.Engines.Shared.Front;
using DistTrain.Numerics;
using DistTrain.Protocol.Methods;
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
        if (LogProblem(request.Settings) is string problem)
        {
            problems.Add(new SettingsProblem("durability", problem));
        }

        if (request.Settings.BackupAfter is not null)
        {
            problems.Add(new SettingsProblem("backup-after", "a cluster starts no backups for stragglers; expected engine threads or simulated, or no backup-after"));
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

    /// <summary>Why a run cannot keep a log on a cluster; null where it can, or keeps none.</summary>
    private static string? LogProblem(RunSettings settings)
    {
        if (settings.Durability == Durability.Memory)
        {
            return null;
        }

        if (settings.ParameterServer.Copies > 1)
        {
            return "step and power keep a log for one copy of each shard on a cluster; expected memory with parameter-server.copies: 2, or copies: 1";
        }

        return settings.ParameterServer.Consistency != Consistency.Sync || MethodCatalog.Find(settings.Method.Name) is { Synchronous: false }
            ? "step and power: a log on several machines needs steps that are the same whenever they are made, and asynchronous ones are not; expected memory"
            : null;
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
