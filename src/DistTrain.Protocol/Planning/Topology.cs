using DistTrain.Protocol.Actors;

namespace DistTrain.Protocol.Planning;

/// <summary>What an actor is.</summary>
public enum ActorRole
{
    /// <summary>Issues steps, watches members, commits, decides recovery.</summary>
    Coordinator,

    /// <summary>Owns one stage of one replica.</summary>
    LayerActor,

    /// <summary>Owns a share of the parameters.</summary>
    Shard,
}

/// <summary>
/// The actors of a run and their ids: the coordinator, then the layer actors replica by replica, then the shards, all first copies before all second ones.
/// Fixed for a run; where an actor lives is not part of it.
/// </summary>
public sealed class Topology
{
    /// <summary>The actors of a run with so many replicas, stages and shards, first-stage actors that share the
    /// features, and copies of each shard.</summary>
    public Topology(int replicas, int stages, int shards, int shares = 1, int copies = 1)
    {
        Copies = copies;
        Shares = shares;
        Replicas = replicas;
        Stages = stages;
        Shards = shards;
    }

    /// <summary>Number of replicas.</summary>
    public int Replicas { get; }

    /// <summary>Number of stages.</summary>
    public int Stages { get; }

    /// <summary>Number of shards.</summary>
    public int Shards { get; }

    /// <summary>Copies of each shard.</summary>
    public int Copies { get; }

    /// <summary>Number of actors that are a copy of a shard.</summary>
    public int ShardActors => Shards * Copies;

    /// <summary>Number of actors that have a share of the features each; above 1 only with a single replica.</summary>
    public int Shares { get; }

    /// <summary>Number of layer actors.</summary>
    public int LayerActors => (Replicas * Stages) + Shares - 1;

    /// <summary>Number of actors.</summary>
    public int Count => 1 + LayerActors + ShardActors;

    /// <summary>The layer actor of a replica's stage.</summary>
    public ActorId LayerActor(int replica, int stage) => new(1 + (replica * Stages) + stage);

    /// <summary>The first-stage actor of a share of the features: the first stage's own one, then those beside it.</summary>
    public ActorId ShareActor(int share) => share == 0 ? LayerActor(0, 0) : new ActorId((Replicas * Stages) + share);

    /// <summary>The share of a layer actor of the first stage; −1 for those of other stages.</summary>
    public int ShareOf(ActorId actor) => actor.Index > Replicas * Stages ? actor.Index - (Replicas * Stages) : StageOf(actor).Stage == 0 ? 0 : -1;

    /// <summary>A copy of a shard.</summary>
    public ActorId Shard(int shard, int copy = 0) => new(1 + LayerActors + (copy * Shards) + shard);

    /// <summary>The actor at a position among the copies of all shards, from 0.</summary>
    public ActorId ShardActor(int position) => new(1 + LayerActors + position);

    /// <summary>Position of an actor among the copies of all shards.</summary>
    public int PositionOf(ActorId actor) => actor.Index - 1 - LayerActors;

    /// <summary>What an actor is.</summary>
    public ActorRole RoleOf(ActorId actor) =>
        actor.Index == 0 ? ActorRole.Coordinator : actor.Index <= LayerActors ? ActorRole.LayerActor : ActorRole.Shard;

    /// <summary>Replica and stage of a layer actor.</summary>
    public (int Replica, int Stage) StageOf(ActorId actor) =>
        actor.Index > Replicas * Stages ? (0, 0) : ((actor.Index - 1) / Stages, (actor.Index - 1) % Stages);

    /// <summary>Index of a shard.</summary>
    public int ShardOf(ActorId actor) => PositionOf(actor) % Shards;

    /// <summary>Which copy of its shard an actor is.</summary>
    public int CopyOf(ActorId actor) => PositionOf(actor) / Shards;

    /// <summary>The name in scenarios, messages and traces: <c>coordinator</c>, <c>layer-2</c>, <c>layer-2/replica-1</c>,
    /// <c>layer-0/share-1</c>, <c>parameter-server</c>, <c>parameter-server-1</c>, <c>parameter-server-1/copy-1</c>.</summary>
    public string NameOf(ActorId actor)
    {
        switch (RoleOf(actor))
        {
            case ActorRole.Coordinator:
                return "coordinator";
            case ActorRole.LayerActor when actor.Index > Replicas * Stages:
                return $"layer-0/share-{ShareOf(actor)}";
            case ActorRole.LayerActor:
                (int replica, int stage) = StageOf(actor);
                return Replicas == 1 ? $"layer-{stage}" : $"layer-{stage}/replica-{replica}";
            default:
                string copy = CopyOf(actor) == 0 ? "" : $"/copy-{CopyOf(actor)}";
                return Shards == 1 ? $"parameter-server{copy}" : $"parameter-server-{ShardOf(actor)}{copy}";
        }
    }
}
