using DistTrain.Protocol.Actors;

namespace DistTrain.Protocol.Planning;

/// <summary>
/// Which copies serve each shard in an epoch. The primary is the first whole copy, or where none is whole the first there is; layer actors read weights from it.
/// Every copy of the view gets every contribution and counts for <c>prepared</c>.
/// </summary>
public sealed class ShardView
{
    private readonly CopyState[] _states;
    private readonly Topology _topology;
    private readonly ActorId[][] _copies;
    private readonly ActorId[] _primaries;

    /// <summary>The view where there is one copy of each shard.</summary>
    public ShardView(Topology topology)
        : this(topology, [])
    {
    }

    /// <summary>The view of an epoch.</summary>
    /// <param name="topology">The actors.</param>
    /// <param name="states">The state of each copy; none stands for one whole copy of each shard.</param>
    public ShardView(Topology topology, int[] states)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(states);
        _topology = topology;
        _states = new CopyState[topology.ShardActors];
        for (int position = 0; position < _states.Length; position++)
        {
            _states[position] = states.Length > 0 ? (CopyState)states[position]
                : position < topology.Shards ? CopyState.Whole : CopyState.Absent;
        }

        _copies = new ActorId[topology.Shards][];
        _primaries = new ActorId[topology.Shards];
        for (int shard = 0; shard < topology.Shards; shard++)
        {
            ActorId[] all = [.. Enumerable.Range(0, topology.Copies).Select(copy => topology.Shard(shard, copy))];
            _copies[shard] = [.. all.Where(copy => StateOf(copy) != CopyState.Absent)];
            ActorId[] whole = [.. all.Where(copy => StateOf(copy) == CopyState.Whole)];
            Count += _copies[shard].Length;
            _primaries[shard] = whole.Length > 0 ? whole[0] : _copies[shard].Length > 0 ? _copies[shard][0] : all[0];
        }
    }

    /// <summary>Number of copies in the view, of all shards.</summary>
    public int Count { get; }

    /// <summary>The copies of a shard that are in the view, in order.</summary>
    public ReadOnlySpan<ActorId> Of(int shard) => _copies[shard];

    /// <summary>The copy of a shard that layer actors read weights from.</summary>
    public ActorId Primary(int shard) => _primaries[shard];

    /// <summary>What a copy is.</summary>
    public CopyState StateOf(ActorId copy) => _states[_topology.PositionOf(copy)];

    /// <summary>Whether an actor takes part: everybody but copies outside the view.</summary>
    public bool Includes(ActorId actor) => _topology.RoleOf(actor) != ActorRole.Shard || StateOf(actor) != CopyState.Absent;

    /// <summary>Whether no copy of a shard is whole.</summary>
    public bool IsLost(int shard) => StateOf(_primaries[shard]) != CopyState.Whole;
}
