using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;

namespace DistTrain.Engines.Simulated;

/// <content>
/// Nodes: who lives where, and what is lost with one. What actors keep is in one place here, so what a node's disk had is told from who lived there: a copy of a shard
/// can restore itself only from a snapshot that it has had a part in since its disk was last lost.
/// </content>
internal sealed partial class SimulatedRun
{
    private readonly int[] _nodeOf;
    private readonly long[] _downUntil, _snapshotBy;
    private readonly bool[] _hasDisk;
    private readonly bool[] _leaves;
    private readonly int[] _target;
    private int _nodesJoined;
    private bool _recordsLost;

    /// <summary>In turn where every node may take anybody; where shards have copies, two of one shard must not meet.</summary>
    private int[] FirstPlaces(int nodes) => _plan.Topology.Copies == 1
        ? [.. Enumerable.Range(0, _plan.Topology.Count).Select(index => index % nodes)]
        : NodePlacement.Place(_plan.Topology, [.. Enumerable.Repeat(new NodeOffer(_settings.SlotsPerNode), nodes)]);

    /// <summary>Moves an actor that is not alive from a node that is gone; from when on it can be started.</summary>
    private long FindPlace(SimulatedActor actor)
    {
        if (_target[actor.Id.Index] is int target && target != NodePlacement.Nowhere)
        {
            // It may live on until now where it was; its slots there are free only when it is gone.
            Kill(actor);
            _target[actor.Id.Index] = NodePlacement.Nowhere;
            actor.Node = _nodeOf[actor.Id.Index] = target;
        }

        if (_downUntil[actor.Node] <= _time.Now)
        {
            return _time.Now;
        }

        int node = NodePlacement.Place(_plan.Topology, Offers(), _nodeOf)[actor.Id.Index];
        if (node == NodePlacement.Nowhere)
        {
            return _downUntil.Where(until => until > _time.Now).DefaultIfEmpty(long.MaxValue).Min();
        }

        actor.Node = _nodeOf[actor.Id.Index] = node;
        return _time.Now;
    }

    private NodeOffer[] Offers() =>
        [.. _downUntil.Select((until, node) => new NodeOffer(_settings.SlotsPerNode, until > _time.Now || _leaves[node] ? NodeRoles.None : NodeRoles.All))];

    private void JoinNodes(int count)
    {
        for (; count > 0; count--)
        {
            _downUntil[_nodesJoined++] = 0;
        }

        MoveTo(NodePlacement.Balance(_plan.Topology, Offers(), _nodeOf));
    }

    private void LeaveNode(int node)
    {
        _leaves[node] = true;
        MoveTo(NodePlacement.Place(_plan.Topology, Offers(), _nodeOf));
    }

    /// <summary>Asks the coordinator to have actors started where they are to live; it stays itself, and so does whoever has no other place.</summary>
    private void MoveTo(int[] places)
    {
        for (int index = 1; index < places.Length; index++)
        {
            if (places[index] != NodePlacement.Nowhere && places[index] != _nodeOf[index])
            {
                _target[index] = places[index];
                _events.Add(_time.Now, new SimulatedEvent { Kind = EventKind.Moving, Number = index });
            }
        }
    }

    private void LoseNode(int node, TimeSpan? restartAfter)
    {
        for (int index = 0; index < _target.Length; index++)
        {
            _target[index] = _target[index] == node ? NodePlacement.Nowhere : _target[index];
        }

        _downUntil[node] = Math.Max(_downUntil[node], restartAfter is TimeSpan span ? _time.Now + VirtualTime.Nanoseconds(span) : long.MaxValue);
        foreach (SimulatedActor actor in _actors.Where(actor => actor.Node == node))
        {
            if (actor.Id == ActorId.Coordinator)
            {
                (_recordsLost, _snapshotKept, _membershipKept) = (true, null, null);
            }
            else if (_plan.Topology.RoleOf(actor.Id) == ActorRole.Shard)
            {
                (_hasDisk[_plan.Topology.PositionOf(actor.Id)], _snapshotBy[_plan.Topology.PositionOf(actor.Id)]) = (false, 0);
            }

            if (actor.Machine is not null)
            {
                LoseWithNode(actor);
            }
        }
    }

    private void LoseWithNode(SimulatedActor actor)
    {
        _journal?.Write(_time.Now, _names[actor.Id.Index], "lost");
        Kill(actor);
        if (actor.Id != ActorId.Coordinator)
        {
            Suspect(actor.Id.Index, _time.Now + _suspectAfter);
        }
        else if (_plan.Topology.Copies == 1)
        {
            _recorder.On(new RunEnded(
                RunEnd.Failed, 0, "the coordinator was lost with everything that it kept; with parameter-server.copies: 2 a new one could go on"));
        }
        else
        {
            _events.Add(_time.Now + _suspectAfter, new SimulatedEvent { Kind = EventKind.CoordinatorReplaced, Actor = actor.Id.Index });
        }
    }

    /// <summary>A snapshot is complete: those who had a part in it could start from it.</summary>
    private void OnSnapshotKept(long step)
    {
        _recordsLost = false;
        for (int position = 0; position < _hasDisk.Length; position++)
        {
            _hasDisk[position] |= _snapshotBy[position] == step;
        }
    }

    /// <summary>A new coordinator starts: from the records of the one before, or from what copies of shards tell it.</summary>
    private void ReplaceCoordinator(SimulatedActor coordinator)
    {
        if (coordinator.Machine is not null)
        {
            return;
        }

        long from = Math.Max(coordinator.DownUntil, FindPlace(coordinator));
        if (from > _time.Now)
        {
            if (from < long.MaxValue)
            {
                _events.Add(from, new SimulatedEvent { Kind = EventKind.CoordinatorReplaced, Actor = coordinator.Id.Index });
            }

            return;
        }

        Start(coordinator, NextCoordinator());
        if (_plan.Topology.Copies > 1)
        {
            SuspectTheDead();
        }

        if (_stopRequested)
        {
            Offer(coordinator, new SimulatedEvent { Kind = EventKind.StopRequested });
        }
    }

    private Coordinator NextCoordinator()
    {
        CoordinatorProgress start = _storage?.From ?? new CoordinatorProgress();

        // With a log from the last committed step, without one from the last snapshot.
        (CoordinatorProgress from, MembershipRecord? before) = _storage is { CanReplaceCoordinator: true } && !_recordsLost
            ? _storage.ForNextCoordinator()
            : (_snapshotKept?.Progress ?? start, _membershipKept);
        if (_plan.Topology.Copies == 1)
        {
            _recorder.On(new Recovered((before?.Epoch ?? 0) + 1, from.Step, Math.Max(0, _issued - from.Step)));
        }

        Coordinator next = Machines.NextCoordinator(_plan, RunIdentity, start, _recordsLost ? null : from, before ?? _storage?.Before, _coordinatorIncarnation);
        _coordinatorIncarnation = next.Incarnation;
        return next;
    }

    /// <summary>The coordinator before may have been told of the dead, and what it asked to be started is nobody's business any more.</summary>
    private void SuspectTheDead()
    {
        foreach (SimulatedActor actor in _actors.Where(actor => actor.Machine is null))
        {
            actor.WantedIncarnation = 0;
            Suspect(actor.Id.Index, _time.Now + _suspectAfter);
        }

        foreach (SimulatedActor actor in _actors)
        {
            actor.WantedIncarnation = 0;
        }

        // Nor did it tell anybody who was to move.
        Array.Fill(_target, NodePlacement.Nowhere);
    }
}
