namespace DistTrain.Engines.Tracing;

/// <summary>What a layer actor's time goes to: its jobs, and five kinds of waiting that make up its idle time.</summary>
public enum TimeShare
{
    /// <summary>From asking for a job to its end: the messages sent before it and its wait for a slot of its node included.</summary>
    Busy,

    /// <summary>Waits for what the stage before it makes.</summary>
    ForwardLock,

    /// <summary>Waits for a signal while the last stage has not yet run that micro-batch forward, its loss included.</summary>
    UpdateLock,

    /// <summary>Waits for a signal after that.</summary>
    BackwardLock,

    /// <summary>Waits for the parameter server or the coordinator: a weight version, a commit, a step's issue.</summary>
    Parameters,

    /// <summary>Has nothing to do.</summary>
    Released,
}
