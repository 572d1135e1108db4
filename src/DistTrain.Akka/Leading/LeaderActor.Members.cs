using Akka.Actor;
using Akka.Cluster;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Wire;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;

namespace DistTrain.Akka.Leading;

/// <summary>Who is a member. An unreachable one is only named: it is lost when the split-brain resolver has removed it, for until then it may
/// be this side that is to stop.</summary>
internal sealed partial class LeaderActor
{
    private void ReceiveMembers()
    {
        Receive<ClusterEvent.MemberUp>(up => OnUp(up.Member));
        Receive<ClusterEvent.MemberLeft>(left => OnGone(left.Member, "leaving"));
        Receive<ClusterEvent.MemberExited>(exited => OnGone(exited.Member, "leaving"));
        Receive<ClusterEvent.MemberDowned>(downed => SetState(downed.Member, "down"));
        Receive<ClusterEvent.MemberRemoved>(removed => OnGone(removed.Member, "removed"));
        Receive<ClusterEvent.UnreachableMember>(lost => SetState(lost.Member, "unreachable"));
        Receive<ClusterEvent.ReachableMember>(found => SetState(found.Member, "up"));
        Receive<ClusterEvent.IMemberEvent>(_ => { });
    }

    private void OnUp(Member member)
    {
        if (_nodes.Exists(node => node.Identity == member.UniqueAddress))
        {
            return;
        }

        string address = member.Address.ToString();
        LeaderNode node = new(member, ((ExtendedActorSystem)Context.System).Provider.ResolveActorRef($"{address}/user/{NodeActor.Name}"));
        _nodes.Add(node);
        if (_phase == Phase.Discovering)
        {
            node.Actor.Tell(new AskRun());
        }
        else if (_phase is Phase.Preparing or Phase.Running)
        {
            node.Actor.Tell(new Prepare(_run, _jobBytes));
            Notice($"{address} joined");
        }
    }

    private void SetState(Member member, string state)
    {
        if (_nodes.Find(node => node.Identity == member.UniqueAddress) is LeaderNode node)
        {
            node.State = state;
            if (_phase == Phase.Running)
            {
                Notice($"{node.Address} is {state}");
            }
        }
    }

    /// <summary>What lived there is suspected; the coordinator decides, and its actors are placed elsewhere when it wants them back.</summary>
    private void OnGone(Member member, string state)
    {
        if (_nodes.Find(node => node.Identity == member.UniqueAddress) is not LeaderNode node)
        {
            return;
        }

        bool wasThere = node.IsThere;
        (node.IsThere, node.State) = (false, state);
        if (wasThere && _phase == Phase.Running && node.Index >= 0)
        {
            Notice($"{node.Address} is {state}; what lived there is placed anew");
            Abandon(node);
        }

        if (state == "removed")
        {
            node.Index = -1;
            _nodes.Remove(node);
        }
    }

    /// <summary>Whether whoever has no node is a copy of a shard that waits for one, while the shard's other copies serve.</summary>
    private bool HomelessAreSpare()
    {
        Topology topology = _plan!.Topology;
        return Array.TrueForAll(
            [.. Enumerable.Range(1, _nodeOf.Length - 1).Where(index => _nodeOf[index] == CapacityPlacement.Nowhere)],
            index => topology.RoleOf(new ActorId(index)) == ActorRole.Shard
                && Enumerable.Range(0, topology.Copies).Any(copy => _nodeOf[topology.Shard(topology.ShardOf(new ActorId(index)), copy).Index] != CapacityPlacement.Nowhere));
    }

    private void Abandon(LeaderNode node)
    {
        int[] lost = [.. Enumerable.Range(1, _nodeOf.Length - 1).Where(actor => _nodeOf[actor] == node.Index)];
        foreach (int actor in lost)
        {
            _nodeOf[actor] = -1;
            _pending.Remove(actor);
        }

        if (PlaceAll() is string problem)
        {
            Fail(problem);
            return;
        }

        SendTable();
        foreach (int actor in lost)
        {
            _host.Run?.Suspect(new ActorId(actor));
        }
    }
}
