namespace DistTrain.Engines;

/// <summary>What runs the actors.</summary>
public interface IEngine
{
    /// <summary>The name in experiment files: <c>threads</c>, …</summary>
    string Name { get; }

    /// <summary>
    /// Says why this engine cannot serve a request, naming the key and what would work; null when it can. Called before
    /// anything starts.
    /// </summary>
    string? Refuses(RunRequest request);

    /// <summary>
    /// Trains to the end, or to a committed step once <paramref name="stop"/> is cancelled. Faults that a run cannot survive
    /// come back as an
    /// outcome, not as an exception.
    /// </summary>
    RunOutcome Run(RunRequest request, IRunObserver observer, CancellationToken stop);
}
