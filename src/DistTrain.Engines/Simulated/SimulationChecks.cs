using DistTrain.Engines.Faults;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <summary>What the simulated engine needs beyond valid settings.</summary>
internal static class SimulationChecks
{
    /// <summary>What is said against a pause.</summary>
    public const string RefusesPause =
        $"engine {SimulatedEngine.EngineName} does not serve 'pause' faults; expected crash, suspect, partition, link, slow, disk, lose-node, join-nodes or leave-node";

    /// <summary>Everything that is wrong; empty when the request can be served.</summary>
    public static IEnumerable<SettingsProblem> Problems(RunRequest request)
    {
        SimulationSettings simulation = request.Simulation;
        if (simulation.TimingOnly && request.Settings.Training.EarlyStoppingPatience is not null)
        {
            yield return new SettingsProblem(
                "simulation.timing-only", "without arithmetic there is no loss to stop at; expected no training.early-stopping, or timing-only: false");
        }

        if (simulation.TimingOnly && request.ResumeFromStep > 0)
        {
            yield return new SettingsProblem(
                "simulation.timing-only", "without arithmetic there is no snapshot to go on from; expected a new run, or timing-only: false");
        }

        if (request.Settings.ParameterServer.Copies > 1 && simulation.Nodes == 1)
        {
            yield return new SettingsProblem(
                "parameter-server.copies", "two copies of a shard never share a node, and there is one; expected simulation.nodes: 2 or more, or copies: 1");
        }

        if (request.Settings.BackupAfter is not null && simulation.Machine is not null)
        {
            yield return new SettingsProblem(
                "backup-after", "on a measured machine actors share threads, and nobody watches how long a job takes; expected no simulation.machine, or no backup-after");
        }

        if (request.Faults.Count > 0)
        {
            RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
            foreach (SettingsProblem problem in FaultChecks.Problems(request.Faults, plan.Topology, fault => Refuses(fault, simulation)))
            {
                yield return problem;
            }
        }
    }

    private static string? Refuses(Fault fault, SimulationSettings simulation) => fault switch
    {
        DiskFault when simulation.TimingOnly => "a run that counts time only keeps nothing on a disk; expected timing-only: false, or no 'disk' faults",
        PauseFault => RefusesPause,
        _ => null,
    };
}
