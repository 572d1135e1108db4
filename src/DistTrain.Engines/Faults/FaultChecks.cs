using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines.Faults;

/// <summary>What is wrong with faults, whatever the engine, and how an engine refuses what it cannot do.</summary>
public static class FaultChecks
{
    /// <summary>Nodes that may join at once: more than there are actors would stay empty in any run.</summary>
    private const int NodesMax = 10_000;

    /// <summary>Most that jobs can be slowed by: a microsecond becomes a second, and the clock of a simulated run has no end in reach.</summary>
    public const double SlowFactorMax = 1e6;

    /// <summary>Longest delay of a message, for the same clock.</summary>
    public static readonly TimeSpan DelayMax = TimeSpan.FromHours(1);

    /// <summary>Everything that is wrong; empty when all faults can be served.</summary>
    /// <param name="faults">The faults.</param>
    /// <param name="topology">The run's actors.</param>
    /// <param name="refuses">What the engine says against a fault that is otherwise right; null for nothing.</param>
    public static IEnumerable<SettingsProblem> Problems(IReadOnlyList<Fault> faults, Topology topology, Func<Fault, string?> refuses)
    {
        ArgumentNullException.ThrowIfNull(faults);
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(refuses);
        for (int index = 0; index < faults.Count; index++)
        {
            Fault fault = faults[index];
            if ((WrongActor(fault, topology) ?? WrongValue(fault, topology) ?? refuses(fault)) is string problem)
            {
                yield return new SettingsProblem($"faults[{(fault.Item >= 0 ? fault.Item : index)}]", problem);
            }
        }
    }

    /// <summary>What is wrong with one fault; null when it can be served.</summary>
    /// <param name="fault">The fault.</param>
    /// <param name="topology">The run's actors.</param>
    /// <param name="refuses">What the engine says against a fault that is otherwise right; null for nothing.</param>
    public static string? Problem(Fault fault, Topology topology, Func<Fault, string?> refuses) =>
        Problems([fault], topology, refuses).Select(problem => problem.Message).FirstOrDefault();

    /// <summary>The faults that wait for a step that the run does not have, each with its key and what would be right.</summary>
    /// <param name="faults">The faults.</param>
    /// <param name="lastStep">The run's last step.</param>
    public static IEnumerable<SettingsProblem> BeyondTheEnd(IReadOnlyList<Fault> faults, long lastStep)
    {
        ArgumentNullException.ThrowIfNull(faults);
        for (int index = 0; index < faults.Count; index++)
        {
            if (faults[index].At.Step is long step && step > lastStep)
            {
                yield return new SettingsProblem(
                    $"faults[{(faults[index].Item >= 0 ? faults[index].Item : index)}].at", $"step {step} never comes, for the run ends with step {lastStep}; expected step 1 to {lastStep}");
            }
        }
    }

    private static string? WrongActor(Fault fault, Topology topology)
    {
        foreach (ActorId actor in ActorsOf(fault))
        {
            if ((uint)actor.Index >= (uint)topology.Count)
            {
                return $"there is no actor {actor.Index}; expected 0 to {topology.Count - 1}";
            }
        }

        return null;
    }

    private static string? WrongValue(Fault fault, Topology topology) => fault switch
    {
        LinkFault link when link.Drop is not (>= 0 and <= 1) || link.Duplicate is not (>= 0 and <= 1) =>
            "a share of messages is out of range; expected drop and duplicate from 0 to 1",
        LinkFault link when link.DelayMin < TimeSpan.Zero || link.DelayMax < link.DelayMin =>
            $"a delay of {link.DelayMin} to {link.DelayMax}; expected times of at least 0 in this order",
        LinkFault link when link.DelayMax > DelayMax => $"a delay of up to {link.DelayMax}; expected at most {DelayMax.TotalHours} h",
        SlowFault slow when slow.Factor is not (>= 1 and <= SlowFactorMax) => FormattableString.Invariant($"factor {slow.Factor}; expected a number from 1 to {SlowFactorMax}"),
        PauseFault pause when pause.For <= TimeSpan.Zero => $"a pause of {pause.For}; expected a time above 0",
        PartitionFault partition when partition.Groups.Count < 2 => $"{partition.Groups.Count} groups cannot be parted; expected at least 2",
        PartitionFault partition when partition.Groups.SelectMany(group => group).GroupBy(actor => actor).Any(same => same.Count() > 1) =>
            "an actor is in two groups; expected each in one at most",
        CrashFault { DuringSnapshot: true } crash when topology.RoleOf(crash.Actor) == ActorRole.LayerActor =>
            $"{topology.NameOf(crash.Actor)} has no part in snapshots; expected the coordinator or a parameter server, or no 'during'",
        DiskFault disk when topology.RoleOf(disk.Actor) == ActorRole.LayerActor =>
            $"{topology.NameOf(disk.Actor)} keeps nothing on a disk; expected the coordinator or a parameter server",
        NodeJoinFault join when join.Count is < 1 or > NodesMax => $"{join.Count} nodes; expected 1 to {NodesMax}",
        SuspicionFault suspicion when suspicion.Actor == ActorId.Coordinator => "nobody suspects the coordinator of a fault; expected another actor",
        _ => null,
    };

    private static IEnumerable<ActorId> ActorsOf(Fault fault) => fault switch
    {
        CrashFault crash => [crash.Actor],
        SuspicionFault suspicion => [suspicion.Actor],
        SlowFault slow => [slow.Actor],
        PauseFault pause => [pause.Actor],
        DiskFault disk => [disk.Actor],
        NodeLossFault node => [node.Actor],
        NodeLeaveFault node => [node.Actor],
        LinkFault link => new[] { link.From, link.To }.OfType<ActorId>(),
        PartitionFault partition => partition.Groups.SelectMany(group => group),
        _ => [],
    };
}
