using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Experiments;

/// <summary>Faults as items of the section <c>faults:</c>, written.</summary>
internal static class FaultItems
{
    /// <summary>All faults, one a line.</summary>
    public static void Write(YamlText yaml, IEnumerable<Fault> faults, IEnumerable<ByzantineReplica> byzantine, Topology topology)
    {
        foreach (Fault fault in faults)
        {
            yaml.Item(null, [.. At(fault), .. Settings(fault, topology)]);
        }

        foreach (ByzantineReplica replica in byzantine)
        {
            yaml.Item(null, [("replica", replica.Replica), ("byzantine", "sign-flip"), ("factor", -replica.Factor)]);
        }
    }

    private static IEnumerable<(string Key, object? Value)> At(Fault fault) =>
        fault.At.Step is long step ? [("at", FormattableString.Invariant($"step {step}"))]
        : fault.At.After > TimeSpan.Zero ? [("at", Durations.Format(fault.At.After))]
        : [];

    private static IEnumerable<(string Key, object? Value)> Settings(Fault fault, Topology topology)
    {
        string Name(ActorId? actor) => actor is ActorId id ? topology.NameOf(id) : "*";
        switch (fault)
        {
            case CrashFault crash:
                return
                [
                    ("crash", Name(crash.Actor)),
                    .. crash.DuringSnapshot ? [("during", "snapshot")] : Array.Empty<(string, object?)>(),
                    ("restart-after", crash.RestartAfter is TimeSpan span ? Durations.Format(span) : "never"),
                ];
            case PauseFault pause:
                return [("pause", Name(pause.Actor)), .. For(pause.For)];
            case NodeLossFault node:
                return [("lose-node", Name(node.Actor)), ("restart-after", node.RestartAfter is TimeSpan again ? Durations.Format(again) : "never")];
            case NodeJoinFault join:
                return [("join-nodes", join.Count)];
            case NodeLeaveFault leave:
                return [("leave-node", Name(leave.Actor))];
            case SuspicionFault suspicion:
                return [("suspect", Name(suspicion.Actor))];
            case PartitionFault partition:
                return
                [
                    ("partition", partition.Groups.Select(group => (object)group.Select(actor => (object)Name(actor)).ToArray()).ToArray()),
                    ("for", Durations.Format(partition.For)),
                ];
            case LinkFault link:
                return
                [
                    ("link", $"{Name(link.From)} -> {Name(link.To)}"),
                    ("drop", link.Drop),
                    ("duplicate", link.Duplicate),
                    ("delay", $"{Durations.Format(link.DelayMin)}..{Durations.Format(link.DelayMax)}"),
                    ("reorder", link.Reorder),
                    .. For(link.For),
                ];
            case SlowFault slow:
                return
                [
                    ("slow", Name(slow.Actor)),
                    ("factor", slow.Factor),
                    .. For(slow.For),
                    .. slow.UntilReplaced ? [("until-replaced", true)] : Array.Empty<(string, object?)>(),
                ];
            case DiskFault disk:
                return [("disk", Name(disk.Actor)), (disk.Problem == DiskProblem.Full ? "full" : "torn-write", true)];
            default:
                throw new ArgumentException($"A {fault.Name} fault has no form in experiments.", nameof(fault));
        }
    }

    private static IEnumerable<(string Key, object? Value)> For(TimeSpan? span) =>
        span is TimeSpan length ? [("for", Durations.Format(length))] : [];
}
