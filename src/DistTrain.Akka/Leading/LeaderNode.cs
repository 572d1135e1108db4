using Akka.Actor;
using Akka.Cluster;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Leading;

/// <summary>A member of the cluster as the leader sees it.</summary>
internal sealed class LeaderNode(Member member, IActorRef actor)
{
    /// <summary>Its address.</summary>
    public string Address { get; } = member.Address.ToString();

    /// <summary>Its identity: a process that comes back at an address is another member.</summary>
    public UniqueAddress Identity { get; } = member.UniqueAddress;

    /// <summary>Its node actor.</summary>
    public IActorRef Actor { get; } = actor;

    /// <summary>What it may host.</summary>
    public IReadOnlyList<string> Roles { get; } = [.. member.Roles.Where(RoleNames.All.Contains).Order(StringComparer.Ordinal)];

    /// <summary>How it is, for people.</summary>
    public string State { get; set; } = "up";

    /// <summary>Whether it may be given actors: it is a member and does not leave.</summary>
    public bool IsThere { get; set; } = true;

    /// <summary>Whether it answered the request to make ready for the run.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>Whether it can host actors of the run.</summary>
    public bool CanHost { get; set; }

    /// <summary>Whether the run's data files are there.</summary>
    public bool HasData { get; set; }

    /// <summary>Why it cannot host, or has no data.</summary>
    public string Problem { get; set; } = "";

    /// <summary>How much it takes beside others.</summary>
    public int Capacity { get; set; } = 1;

    /// <summary>The newest snapshot that is whole there; −1 for none.</summary>
    public long SnapshotStep { get; set; } = -1;

    /// <summary>Index in the run's table; −1 before it got one.</summary>
    public int Index { get; set; } = -1;

    /// <summary>The run's actors that live there already, by index.</summary>
    public IReadOnlyList<int> Hosts { get; set; } = [];

    /// <summary>What its disk has of a run that keeps a log.</summary>
    public KeptRun Kept { get; set; } = KeptRun.Nothing;

    /// <summary>What it offers the placement.</summary>
    public NodeOffer Offer => new(Capacity, IsThere && CanHost ? RoleNames.FlagsOf(Roles) : NodeRoles.None);
}
