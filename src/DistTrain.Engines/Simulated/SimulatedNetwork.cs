using System.Runtime.InteropServices;
using DistTrain.Engines.Faults;
using DistTrain.Numerics.Randomness;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// When messages arrive. From node to node there is one wire in each direction: messages go onto it one after the other, each for its bytes over the
/// bandwidth, and arrive after the latency and a drawn jitter, in order unless one may be overtaken. On one node a message arrives at once. A lost message has
/// used the wire all the same.
/// </summary>
/// <param name="settings">Latency, bandwidth and what goes wrong.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="nodeOf">The node of each actor, which changes as actors move.</param>
/// <param name="nodes">How many nodes there ever are.</param>
internal sealed class SimulatedNetwork(SimulationSettings settings, ulong seed, int[] nodeOf, int nodes)
{
    /// <summary>Bytes that a message has besides its tensors: the frame's header, taken as the same for all, so that a run with and without arithmetic takes the same time.</summary>
    public const int HeaderBytes = 192;

    private readonly RandomStream _random = new(settings.Seed ?? seed, RandomPurpose.Simulation);
    private readonly Dictionary<long, Wire> _wires = [];
    private readonly List<ActiveLink> _links = [];
    private readonly List<ActivePartition> _partitions = [];
    private readonly long _latency = VirtualTime.Nanoseconds(settings.Latency), _jitter = VirtualTime.Nanoseconds(settings.Jitter);
    private readonly long _window = VirtualTime.Nanoseconds(settings.ReorderWindow);
    private readonly double _nanosecondsPerByte = settings.BandwidthBytesPerSecond > 0 ? 1e9 / settings.BandwidthBytesPerSecond : 0;
    private readonly long _nodes = nodes;
    private long _draws;

    /// <summary>Sends a message.</summary>
    /// <param name="departs">When it leaves its sender.</param>
    /// <param name="from">The sending actor.</param>
    /// <param name="to">The receiving actor.</param>
    /// <param name="bytes">Bytes of its tensors.</param>
    /// <param name="second">When it arrives again; −1 when it does not.</param>
    /// <returns>When it arrives; −1 when it is lost.</returns>
    public long Send(long departs, int from, int to, long bytes, out long second)
    {
        second = -1;
        bool isLocal = nodeOf[from] == nodeOf[to];

        // Not two halves of a number: the hash of that is their exclusive or, and neighbours in a pipeline would all collide.
        ref Wire wire = ref CollectionsMarshal.GetValueRefOrAddDefault(_wires, (nodeOf[from] * _nodes) + nodeOf[to], out _);
        long arrives = departs;
        if (!isLocal)
        {
            wire.FreeAt = Math.Max(departs, wire.FreeAt) + (long)Math.Round((bytes + HeaderBytes) * _nanosecondsPerByte);
            arrives = wire.FreeAt + _latency + Drawn(0, _jitter);
        }

        bool lost = !isLocal && Chance(settings.Drop), twice = !isLocal && Chance(settings.Duplicate), overtaken = !isLocal && Chance(settings.Reorder);
        arrives += overtaken ? Drawn(0, _window) : 0;
        foreach (ActiveLink link in _links)
        {
            if (link.Covers(from, to, departs))
            {
                lost |= Chance(link.Fault.Drop);
                twice |= Chance(link.Fault.Duplicate);
                overtaken |= link.Fault.Reorder;
                arrives += Drawn(VirtualTime.Nanoseconds(link.Fault.DelayMin), VirtualTime.Nanoseconds(link.Fault.DelayMax));
            }
        }

        if (lost || IsCut(from, to, departs, out _))
        {
            return -1;
        }

        if (!overtaken)
        {
            wire.Last = arrives = Math.Max(arrives, wire.Last);
        }

        second = twice ? arrives + Drawn(0, _window) : -1;
        return arrives;
    }

    /// <summary>A link becomes worse.</summary>
    public void Add(LinkFault fault, long now) =>
        _links.Add(new ActiveLink(fault, now, fault.For is TimeSpan span ? now + VirtualTime.Nanoseconds(span) : long.MaxValue));

    /// <summary>A partition begins.</summary>
    public void Add(PartitionFault fault, long now) => _partitions.Add(new ActivePartition(fault, now, now + VirtualTime.Nanoseconds(fault.For)));

    /// <summary>Whether a partition keeps a message back that leaves at a time, and until when.</summary>
    public bool IsCut(int from, int to, long at, out long until)
    {
        until = -1;
        foreach (ActivePartition partition in _partitions)
        {
            if (at >= partition.Start && at < partition.End && partition.Separates(from, to))
            {
                until = Math.Max(until, partition.End);
            }
        }

        return until >= 0;
    }

    private bool Chance(double share) => share > 0 && _random.Uniform(_draws++) < share;

    private long Drawn(long low, long high) => high > low ? low + (long)((high - low) * _random.Uniform(_draws++)) : low;

    /// <summary>One direction between two nodes: when it has sent all, and the latest arrival that nothing may overtake.</summary>
    private struct Wire
    {
        public long FreeAt;
        public long Last;
    }

    private sealed record ActiveLink(LinkFault Fault, long Start, long End)
    {
        public bool Covers(int from, int to, long at) =>
            at >= Start && at < End && (Fault.From is null || Fault.From.Value.Index == from) && (Fault.To is null || Fault.To.Value.Index == to);
    }

    private sealed record ActivePartition(PartitionFault Fault, long Start, long End)
    {
        public bool Separates(int from, int to) => GroupOf(from) is int one && GroupOf(to) is int other && one != other;

        private int? GroupOf(int actor)
        {
            for (int group = 0; group < Fault.Groups.Count; group++)
            {
                if (Fault.Groups[group].Any(member => member.Index == actor))
                {
                    return group;
                }
            }

            return null;
        }
    }
}
