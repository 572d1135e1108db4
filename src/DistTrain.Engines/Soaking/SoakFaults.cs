using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Soaking;

/// <summary>A schedule of faults drawn from a seed; all of them pass, so a run among them must end.</summary>
internal static class SoakFaults
{
    private const int Stream = 1_000, FaultsMax = 8, Kinds = 7, NodesStream = 2_001, ElasticStream = 2_002;
    private static readonly TimeSpan Shortest = TimeSpan.FromMicroseconds(100);

    /// <summary>The faults of a seed's run.</summary>
    public static IReadOnlyList<Fault> Of(ulong seed, RunPlan plan)
    {
        Draws draws = new(seed, Stream);
        int[] kinds = [.. Enumerable.Range(0, Kinds).Where(_ => draws.Chance(0.5))];
        List<Fault> faults = [];
        for (int left = kinds.Length == 0 ? 0 : draws.From(1, FaultsMax); left > 0; left--)
        {
            FaultTime at = draws.Chance(0.6)
                ? FaultTime.AtStep(draws.From(1, (int)plan.TotalSteps))
                : FaultTime.AfterTime(draws.Time(Shortest, TimeSpan.FromSeconds(1)));
            faults.Add(Draw(kinds[draws.From(0, kinds.Length - 1)], draws, plan.Topology) with { At = at });
        }

        Draws elastic = new(seed, ElasticStream);
        for (int change = elastic.Chance(0.3) ? elastic.From(1, 3) : 0; change > 0; change--)
        {
            Fault fault = elastic.Chance(0.5) ? new NodeJoinFault(elastic.From(1, 2)) : new NodeLeaveFault(new ActorId(elastic.From(0, plan.Topology.Count - 1)));
            faults.Add(fault with { At = FaultTime.AtStep(elastic.From(1, (int)plan.TotalSteps)) });
        }

        if (plan.Topology.Copies > 1)
        {
            faults.AddRange(NodeLosses(new Draws(seed, NodesStream), plan));
        }

        return faults;
    }

    /// <summary>Only one node stays away for good, so that there is always one left.</summary>
    private static IEnumerable<Fault> NodeLosses(Draws draws, RunPlan plan)
    {
        for (int loss = draws.From(0, 3); loss > 0; loss--)
        {
            TimeSpan length = draws.Time(Shortest, TimeSpan.FromSeconds(5));
            ActorId actor = draws.Chance(0.4) ? ActorId.Coordinator : new ActorId(draws.From(1, plan.Topology.Count - 1));
            yield return new NodeLossFault(actor, loss == 1 && draws.Chance(0.3) ? null : length)
            {
                At = FaultTime.AtStep(draws.From(1, (int)plan.TotalSteps)),
            };
        }
    }

    private static Fault Draw(int kind, Draws draws, Topology topology)
    {
        ActorId Anyone() => new(draws.From(0, topology.Count - 1));
        ActorId Member() => new(draws.From(1, topology.Count - 1));
        TimeSpan length = draws.Time(Shortest, TimeSpan.FromSeconds(5));
        switch (kind)
        {
            case 0:
                return new CrashFault(Member(), draws.Chance(0.5) ? TimeSpan.Zero : length);
            case 1:
                return new CrashFault(ActorId.Coordinator, draws.Chance(0.5) ? TimeSpan.Zero : length) { DuringSnapshot = draws.Chance(0.3) };
            case 2:
                return new CrashFault(topology.Shard(draws.From(0, topology.Shards - 1)), draws.Chance(0.5) ? TimeSpan.Zero : length) { DuringSnapshot = true };
            case 3:
                return new SuspicionFault(Member());
            case 4:
                return Partition(draws, topology, length);
            case 5:
                return new SlowFault(Anyone(), draws.Of(2, 10, 1_000), length);
            default:
                return Link(draws, draws.Chance(0.5) ? null : Anyone(), draws.Chance(0.5) ? null : Anyone(), length);
        }
    }

    private static PartitionFault Partition(Draws draws, Topology topology, TimeSpan length)
    {
        List<ActorId> one = [], other = [];
        for (int index = 0; index < topology.Count; index++)
        {
            (draws.Chance(0.5) ? one : other).Add(new ActorId(index));
        }

        if (one.Count == 0 || other.Count == 0)
        {
            (List<ActorId> whole, List<ActorId> none) = one.Count == 0 ? (other, one) : (one, other);
            none.Add(whole[^1]);
            whole.RemoveAt(whole.Count - 1);
        }

        return new PartitionFault([one, other], length);
    }

    private static LinkFault Link(Draws draws, ActorId? from, ActorId? to, TimeSpan length)
    {
        TimeSpan low = TimeSpan.FromMilliseconds(draws.Of(0, 0, 5));

        // A link that stays as it is to the end loses little: every loss may cost a retry, and the run has to end.
        bool stays = draws.Chance(0.3);
        return new LinkFault(from, to)
        {
            Drop = stays ? draws.Of(0, 0.01, 0.03) : draws.Of(0, 0.1, 0.5, 1),
            Duplicate = draws.Of(0, 0.05, 0.5),
            DelayMin = low,
            DelayMax = low + TimeSpan.FromMilliseconds(draws.Of(0, 1, 45)),
            Reorder = draws.Chance(0.5),
            For = stays ? null : length,
        };
    }
}
