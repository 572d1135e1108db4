using System.Globalization;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Faults;

/// <summary>Faults in words.</summary>
public static class FaultText
{
    /// <summary>One fault, without when it begins.</summary>
    public static string Of(Fault fault, Topology topology)
    {
        ArgumentNullException.ThrowIfNull(topology);
        string Name(ActorId? actor) => actor is ActorId id ? topology.NameOf(id) : "*";
        return fault switch
        {
            CrashFault { DuringSnapshot: true } crash => $"{Name(crash.Actor)} crashes during a snapshot{Back(crash)}",
            CrashFault crash => $"{Name(crash.Actor)} crashes{Back(crash)}",
            PauseFault pause => $"{Name(pause.Actor)} is stopped{Span(pause.For)}",
            NodeLossFault node => $"the node of {Name(node.Actor)} is lost{Again(node)}",
            NodeJoinFault join => $"{join.Count} {(join.Count == 1 ? "node joins" : "nodes join")}",
            NodeLeaveFault node => $"the node of {Name(node.Actor)} leaves",
            SuspicionFault suspicion => $"{Name(suspicion.Actor)} is suspected",
            PartitionFault partition =>
                $"[{string.Join("] and [", partition.Groups.Select(group => string.Join(", ", group.Select(actor => Name(actor)))))}] are parted{Span(partition.For)}",
            LinkFault link => string.Create(
                CultureInfo.InvariantCulture,
                $"{Name(link.From)} -> {Name(link.To)} drops {link.Drop:P1}, doubles {link.Duplicate:P1}, delays {link.DelayMin.TotalMilliseconds:0.###} to "
                + $"{link.DelayMax.TotalMilliseconds:0.###} ms{(link.Reorder ? ", reorders" : "")}{Span(link.For)}"),
            SlowFault slow => string.Create(CultureInfo.InvariantCulture, $"{Name(slow.Actor)} is {slow.Factor} times slower{Span(slow.For)}{(slow.UntilReplaced ? ", or until it is replaced" : "")}"),
            DiskFault disk => $"{Name(disk.Actor)}'s disk: {(disk.Problem == DiskProblem.Full ? "full" : "a torn write")}",
            _ => fault?.Name ?? throw new ArgumentNullException(nameof(fault)),
        };
    }

    private static string Again(NodeLossFault node) => node.RestartAfter is TimeSpan span
        ? string.Create(CultureInfo.InvariantCulture, $", and there again, empty, after {span.TotalSeconds:0.######} s")
        : " for good";

    private static string Back(CrashFault crash) => crash.RestartAfter switch
    {
        null => " for good",
        TimeSpan span when span == TimeSpan.Zero => "",
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $" and cannot be replaced for {span.TotalSeconds:0.######} s"),
    };

    private static string Span(TimeSpan? span) =>
        span is TimeSpan length ? string.Create(CultureInfo.InvariantCulture, $" for {length.TotalSeconds:0.######} s") : "";
}
