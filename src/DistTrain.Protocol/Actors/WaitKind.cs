namespace DistTrain.Protocol.Actors;

/// <summary>What an actor is in the middle of, or waits for.</summary>
public enum WaitKind
{
    /// <summary>A job of its own.</summary>
    Busy,

    /// <summary>What the stage before it makes: an activation, or under front contribution the rows' contributions.</summary>
    Activation,

    /// <summary>What comes back from the stages behind it.</summary>
    Signal,

    /// <summary>The parameter server or the coordinator: a weight version, carried state, a commit, a step's issue.</summary>
    Parameters,

    /// <summary>Nothing: it has no work now.</summary>
    Released,
}
