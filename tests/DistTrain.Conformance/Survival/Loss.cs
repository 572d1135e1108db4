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

    /// <summary>The coordinator.</summary>
    Coordinator,

    /// <summary>Everything at once, by SIGKILL.</summary>
    Everything,

    /// <summary>Everything at once, and of what was not synced any part.</summary>
    Power,

    /// <summary>Room on a shard's disk.</summary>
    Room,

    /// <summary>A part of a write to a shard's log or snapshot.</summary>
    Write,
}
