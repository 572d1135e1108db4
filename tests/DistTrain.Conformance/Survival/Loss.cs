namespace DistTrain.Conformance.Survival;

/// <summary>What a run loses.</summary>
public enum Loss
{
    /// <summary>A layer actor; on processes the worker that hosts it.</summary>
    LayerActor,

    /// <summary>A layer actor, and nothing can take its place.</summary>
    LayerActorForGood,

    /// <summary>A shard of the parameter server.</summary>
    Shard,

    /// <summary>Every copy of a shard at once, while their disks stay.</summary>
    EveryCopy,

    /// <summary>The coordinator.</summary>
    Coordinator,

    /// <summary>The coordinator and a copy of a shard at once.</summary>
    CoordinatorAndShard,

    /// <summary>The node of a layer actor for good, with what is in its memory and on its disk.</summary>
    NodeOfLayerActor,

    /// <summary>The node of a copy of a shard for good, with what is in its memory and on its disk.</summary>
    NodeOfShard,

    /// <summary>The node of the coordinator for good, with what is in its memory and on its disk.</summary>
    NodeOfCoordinator,

    /// <summary>The nodes of every copy of a shard for good, with what is in their memory and on their disks.</summary>
    NodesOfEveryCopy,

    /// <summary>Everything at once, by SIGKILL.</summary>
    Everything,

    /// <summary>Everything at once, and of what was not synced any part.</summary>
    Power,

    /// <summary>Room on a shard's disk.</summary>
    Room,

    /// <summary>A part of a write to a shard's log or snapshot.</summary>
    Write,
}
