using DistTrain.Engines.Faults;
using DistTrain.Engines.Shared.Front;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Processes;

/// <summary>
/// Runs the actors in child processes of one machine, over Unix domain sockets. This process is supervisor and console and hosts no actor.
/// </summary>
/// <param name="program">The program of the children; null for the running one.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class ProcessesEngine(ChildProgram? program = null, TimeProvider? time = null) : IEngine
{
    /// <summary>The engine's name.</summary>
    public const string EngineName = "processes";

    /// <summary>Most processes of layer actors.</summary>
    public const int WorkersMax = ProcessesLimits.WorkersMax;

    /// <inheritdoc/>
    public string Name => EngineName;

    /// <summary>Why this machine cannot run it; null when it can.</summary>
    public static string? MachineProblem() => SocketFolder.Problem();

    /// <inheritdoc/>
    public string? Refuses(RunRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<SettingsProblem> problems = [.. SettingsChecks.Problems(request.Settings, request.Data.TrainRows)];
        if (request.Settings is { ParameterServer.Copies: > 1, Durability: not Durability.Memory })
        {
            problems.Add(new SettingsProblem(
                "parameter-server.copies",
                $"{request.Settings.ParameterServer.Copies}: all processes share a disk, whose log outlives each of them already; expected copies: 1, or durability: memory"));
        }

        if (request.Settings.BackupAfter is not null)
        {
            problems.Add(new SettingsProblem("backup-after", "engine processes starts no backups for stragglers; expected threads or simulated, or no backup-after"));
        }

        if (problems.Count == 0)
        {
            RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
            problems.AddRange(SizeChecks.FrameProblem(plan) is SettingsProblem size ? [size] : []);
            problems.AddRange(FaultChecks.Problems(request.Faults, plan.Topology, ProcessesRun.Refuses));
        }

        if (problems.Count > 0)
        {
            return string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Message}"));
        }

        if (request.Trace is not null)
        {
            return "engine: processes records no trace; expected threads or simulated";
        }

        return request.Experiment is null
            ? "engine: processes needs an experiment that its processes can read, and this run has none; expected threads or simulated"
            : MachineProblem() ?? FrontMemory.Refuses(request, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    /// <inheritdoc/>
    public RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(observer);
        using ProcessesRun run = new(request, observer, program ?? ChildProgram.Current, time ?? TimeProvider.System);
        return run.ToEnd(stop);
    }
}
