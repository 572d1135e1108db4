using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Simulated;

/// <summary>What the simulated engine needs beyond valid settings.</summary>
internal static class SimulationChecks
{
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

        if (request.Faults.Count > 0)
        {
            RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
            foreach (SettingsProblem problem in request.Faults.SelectMany((fault, index) => OfFault(fault, $"faults[{index}]", plan.Topology)))
            {
                yield return problem;
            }
        }
    }

    private static IEnumerable<SettingsProblem> OfFault(Fault fault, string key, Topology topology)
    {
        foreach (ActorId actor in ActorsOf(fault))
        {
            if ((uint)actor.Index >= (uint)topology.Count)
            {
                yield return new SettingsProblem(key, $"there is no actor {actor.Index}; expected 0 to {topology.Count - 1}");
            }
        }

        switch (fault)
        {
            case LinkFault link when link.Drop is not (>= 0 and <= 1) || link.Duplicate is not (>= 0 and <= 1):
                yield return new SettingsProblem(key, "a share of messages is out of range; expected drop and duplicate from 0 to 1");
                break;
            case LinkFault link when link.DelayMin < TimeSpan.Zero || link.DelayMax < link.DelayMin:
                yield return new SettingsProblem(key, $"a delay of {link.DelayMin} to {link.DelayMax}; expected times of at least 0 in this order");
                break;
            case SlowFault slow when !(slow.Factor > 0 && double.IsFinite(slow.Factor)):
                yield return new SettingsProblem(key, $"factor {slow.Factor}; expected a number above 0");
                break;
            case PartitionFault partition when partition.Groups.Count < 2:
                yield return new SettingsProblem(key, $"{partition.Groups.Count} groups cannot be parted; expected at least 2");
                break;
            case PartitionFault partition when partition.Groups.SelectMany(group => group).GroupBy(actor => actor).Any(same => same.Count() > 1):
                yield return new SettingsProblem(key, "an actor is in two groups; expected each in one at most");
                break;
        }
    }

    private static IEnumerable<ActorId> ActorsOf(Fault fault) => fault switch
    {
        CrashFault crash => [crash.Actor],
        SuspicionFault suspicion => [suspicion.Actor],
        SlowFault slow => [slow.Actor],
        LinkFault link => new[] { link.From, link.To }.OfType<ActorId>(),
        PartitionFault partition => partition.Groups.SelectMany(group => group),
        _ => [],
    };
}
