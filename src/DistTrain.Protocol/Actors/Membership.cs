using System.Diagnostics.CodeAnalysis;
using DistTrain.Protocol.Effects;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Actors;

/// <summary>
/// Who is a member with which incarnation, and what the copies of shards are. The coordinator alone assigns incarnations, and keeps them before anyone
/// is started with them.
/// </summary>
/// <param name="topology">The run's actors.</param>
/// <param name="before">The last membership that the coordinator before had kept; null for a new run.</param>
/// <param name="keepsLog">Whether a shard that is started anew finds its last committed state outside.</param>
internal sealed class Membership(Topology topology, MembershipRecord? before = null, bool keepsLog = false)
{
    private readonly int[] _restarts = new int[topology.Count];
    private readonly List<ActorId> _lost = [], _moving = [];
    private readonly CopyState[] _copies = topology.Copies > 1 ? new CopyState[topology.ShardActors] : [];
    private readonly bool[] _started = new bool[topology.ShardActors];
    private int[] _wanted = [];
    private MembershipRecord? _pending;

    /// <summary>Everybody for the first time, or anew after the loss of a coordinator or of every copy of a shard.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="coordinatorIncarnation">The coordinator's own.</param>
    /// <param name="known">Incarnations that are known to live or to have lived; null for none.</param>
    /// <param name="floor">New incarnations are above.</param>
    public MembershipRecord StartAll(int epoch, int coordinatorIncarnation, int[]? known = null, int floor = 0)
    {
        _wanted = new int[topology.Count];
        for (int index = 0; index < _wanted.Length; index++)
        {
            int lived = Math.Max(before?.Incarnations.ElementAtOrDefault(index) ?? 0, known?[index] ?? 0);
            _wanted[index] = Math.Max(lived, floor) + 1;
        }

        _wanted[ActorId.Coordinator.Index] = coordinatorIncarnation;
        Array.Fill(_copies, CopyState.Empty);
        Array.Clear(_started);
        return Decide(epoch);
    }

    /// <summary>
    /// Goes on with those who have answered a new coordinator. Nothing is sent to those who have not until they are started again, and those get incarnations that
    /// the coordinator before cannot have assigned.
    /// </summary>
    public MembershipRecord TakeOver(int epoch, int coordinatorIncarnation, Inquiry inquiry, int floor)
    {
        _wanted = new int[topology.Count];
        for (int index = 1; index < _wanted.Length; index++)
        {
            int answered = inquiry.IncarnationOf(new ActorId(index));
            _wanted[index] = answered > 0 ? answered : Math.Max(inquiry.LastIncarnationOf(new ActorId(index)), floor) + 1;
        }

        _wanted[ActorId.Coordinator.Index] = coordinatorIncarnation;
        for (int position = 0; position < _copies.Length; position++)
        {
            ActorId copy = topology.ShardActor(position);
            _copies[position] = inquiry.IsWhole(copy) ? CopyState.Whole : inquiry.IncarnationOf(copy) > 0 ? CopyState.Empty : CopyState.Absent;
        }

        return Decide(epoch);
    }

    /// <summary>A new incarnation for an actor; false when it failed too often.</summary>
    public bool TryReplace(ActorId actor, int epoch, [NotNullWhen(true)] out MembershipRecord? record)
    {
        record = null;
        if (++_restarts[actor.Index] > Limits.RestartsPerActorMax)
        {
            return false;
        }

        _moving.Remove(actor);
        _wanted[actor.Index]++;
        if (_copies.Length > 0 && topology.RoleOf(actor) == ActorRole.Shard)
        {
            LoseCopy(actor);
        }

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

    /// <summary>New incarnations for all recorded losses and for those who move; copies that were started again enter the view.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="stateIsKept">Whether a snapshot holds all that is committed. Without one, a shard that has no copy stays where it is for now.</param>
    public MembershipRecord ReplaceLost(int epoch, bool stateIsKept = false)
    {
        foreach (ActorId lost in _lost)
        {
            _wanted[lost.Index]++;
        }

        _lost.Clear();
        while (_moving.Find(actor => MayMove(actor) && (stateIsKept || !MovesWithState(actor))) is { Index: > 0 } moving)
        {
            _moving.Remove(moving);
            _wanted[moving.Index]++;
            if (_copies.Length > 0 && topology.RoleOf(moving) == ActorRole.Shard)
            {
                LoseCopy(moving);
            }
        }

        for (int position = 0; position < _copies.Length; position++)
        {
            _copies[position] = IsWaiting(position) ? CopyState.Empty : _copies[position];
        }

        IsChanging = true;
        return Decide(epoch);
    }

    /// <summary>An actor is to be started elsewhere.</summary>
    public void Move(ActorId actor)
    {
        if (!_moving.Contains(actor))
        {
            _moving.Add(actor);
        }
    }

    /// <summary>Whether an actor can be moved now: a copy of a shard only while another is whole.</summary>
    public bool HasMovable => _moving.Exists(MayMove);

    /// <summary>Whether moving takes a shard's state with it, which has to be kept outside first.</summary>
    public bool MovesState => _moving.Exists(MovesWithState);

    /// <summary>An actor was started as it was asked for; true when it is a copy that waits to enter the view.</summary>
    public bool OnStarted(ActorId actor, int incarnation)
    {
        if (_copies.Length == 0 || topology.RoleOf(actor) != ActorRole.Shard || _wanted.Length == 0 || _wanted[actor.Index] != incarnation)
        {
            return false;
        }

        int position = topology.PositionOf(actor);
        _started[position] = true;
        return IsWaiting(position);
    }

    /// <summary>A copy that is prepared has its state, unless it is to be replaced; true when that was not known before.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="incarnation">Who says so.</param>
    public bool OnPrepared(ActorId copy, int incarnation)
    {
        int position = topology.PositionOf(copy);
        if (_copies.Length == 0 || _copies[position] != CopyState.Empty || _wanted[copy.Index] != incarnation)
        {
            return false;
        }

        _copies[position] = CopyState.Whole;
        return true;
    }

    /// <summary>Whether a copy was started and waits to enter the view.</summary>
    public bool HasWaiting
    {
        get
        {
            for (int position = 0; position < _copies.Length; position++)
            {
                if (IsWaiting(position))
                {
                    return true;
                }
            }

            return false;
        }
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

    /// <summary>Whether a shard's state is lost with a record: that of its only copy, or of every one.</summary>
    public bool LosesShard(int[] members, MembershipRecord record)
    {
        ShardView? view = record.Copies.Length > 0 ? new ShardView(topology, record.Copies) : null;
        for (int shard = 0; shard < topology.Shards; shard++)
        {
            int index = topology.Shard(shard).Index;
            if (view?.IsLost(shard) ?? members[index] != record.Incarnations[index])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Starts every actor that is new in a record.</summary>
    public void SpawnChanged(int[] members, MembershipRecord record, EffectList effects)
    {
        for (int index = 1; index < topology.Count; index++)
        {
            if (members[index] != record.Incarnations[index])
            {
                effects.Spawn(new ActorId(index), record.Incarnations[index]);
            }
        }
    }

    private bool MayMove(ActorId actor) =>
        _copies.Length == 0 || topology.RoleOf(actor) != ActorRole.Shard || Enumerable.Range(0, topology.Copies)
            .Select(copy => topology.Shard(topology.ShardOf(actor), copy))
            .Any(copy => copy != actor && _copies[topology.PositionOf(copy)] == CopyState.Whole);

    private bool MovesWithState(ActorId actor) => _copies.Length == 0 && !keepsLog && topology.RoleOf(actor) == ActorRole.Shard;

    private bool IsWaiting(int position) => _copies[position] == CopyState.Absent && _started[position];

    /// <summary>The members of an epoch, as they are known now.</summary>
    public MembershipRecord Decide(int epoch) => _pending = new MembershipRecord(epoch, [.. _wanted]) { Copies = [.. _copies.Select(copy => (int)copy)] };

    /// <summary>The view of a shard shrinks to the copies that are left; the last one is waited for, since nothing can go on without it.</summary>
    private void LoseCopy(ActorId actor)
    {
        int position = topology.PositionOf(actor), shard = topology.ShardOf(actor);
        (_copies[position], _started[position]) = (CopyState.Absent, false);
        int[] all = [.. Enumerable.Range(0, topology.Copies).Select(copy => topology.PositionOf(topology.Shard(shard, copy)))];
        if (!all.Any(copy => _copies[copy] != CopyState.Absent || IsWaiting(copy)))
        {
            _copies[position] = CopyState.Empty;
        }
    }
}
