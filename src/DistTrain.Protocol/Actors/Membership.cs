using System.Diagnostics.CodeAnalysis;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>Who is a member with which incarnation. The coordinator alone assigns incarnations, and keeps them before anyone
/// is started with them.</summary>
internal sealed class Membership(Topology topology, MembershipRecord? before = null)
{
    private readonly int[] _restarts = new int[topology.Count];
    private readonly List<ActorId> _lost = [];
    private int[] _wanted = [];
    private MembershipRecord? _pending;

    /// <summary>Everybody for the first time, or anew after the loss of a coordinator.</summary>
    public MembershipRecord StartAll(int epoch, int coordinatorIncarnation)
    {
        _wanted = [.. Enumerable.Range(0, topology.Count).Select(index => (before?.Incarnations[index] ?? 0) + 1)];
        _wanted[ActorId.Coordinator.Index] = coordinatorIncarnation;
        return _pending = new MembershipRecord(epoch, [.. _wanted]);
    }

    /// <summary>A new incarnation for an actor; false when it failed too often.</summary>
    public bool TryReplace(ActorId actor, int epoch, [NotNullWhen(true)] out MembershipRecord? record)
    {
        record = null;
        if (++_restarts[actor.Index] > Limits.RestartsPerActorMax)
        {
            return false;
        }

        _wanted[actor.Index]++;
        record = ReplaceLost(epoch);
        return true;
    }

    /// <summary>Whether actors are lost that nobody has needed since.</summary>
    public bool HasLost => _lost.Count > 0;

    /// <summary>Records the loss of an actor that nobody needs now: it is replaced with the next epoch.</summary>
    public void RecordLoss(ActorId actor)
    {
        if (!_lost.Contains(actor))
        {
            _lost.Add(actor);
        }
    }

    /// <summary>New incarnations for all recorded losses.</summary>
    public MembershipRecord ReplaceLost(int epoch)
    {
        foreach (ActorId lost in _lost)
        {
            _wanted[lost.Index]++;
        }

        _lost.Clear();
        IsChanging = true;
        return _pending = new MembershipRecord(epoch, [.. _wanted]);
    }

    /// <summary>
    /// Whether a new epoch is decided and not begun. It will go back to a snapshot that exists now, so none may be completed
    /// until then.
    /// </summary>
    public bool IsChanging { get; private set; }

    /// <summary>Whether a kept record is the newest one; one that a later suspicion has replaced counts no more.</summary>
    public bool IsWanted(MembershipRecord record) => ReferenceEquals(record, _pending);

    /// <summary>Whether anybody was ever wanted: before that, nobody can be lost.</summary>
    public bool HasStarted => _wanted.Length > 0;

    /// <summary>Whether an epoch has begun under this coordinator.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The wanted epoch has begun.</summary>
    public void Begun() => (IsChanging, HasBegun) = (false, true);

    /// <summary>Whether a shard is new in a record.</summary>
    public bool LosesShard(int[] before, MembershipRecord record)
    {
        for (int shard = 0; shard < topology.Shards; shard++)
        {
            int index = topology.Shard(shard).Index;
            if (before[index] != record.Incarnations[index])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Starts every actor that is new in a record.</summary>
    public void SpawnChanged(int[] before, MembershipRecord record, EffectList effects)
    {
        for (int index = 1; index < topology.Count; index++)
        {
            if (before[index] != record.Incarnations[index])
            {
                effects.Spawn(new ActorId(index), record.Incarnations[index]);
            }
        }
    }
}
