namespace DistTrain.Protocol.Actors;

/// <summary>An actor of a run, as its index in <see cref="Planning.Topology"/>: the coordinator is 0. An actor keeps its id
/// over restarts.</summary>
public readonly record struct ActorId(int Index)
{
    /// <summary>The coordinator.</summary>
    public static ActorId Coordinator => new(0);
}
