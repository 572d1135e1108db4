namespace DistTrain.Engines.Simulated;

/// <summary>Times of jobs, whatever their arithmetic: all that is not named costs nothing, the overhead of jobs included.</summary>
/// <param name="Forward">A forward pass of a micro-batch at a stage.</param>
/// <param name="Backward">A backward pass of a micro-batch at a stage, with all its gradients.</param>
public sealed record DeclaredCosts(TimeSpan Forward, TimeSpan Backward)
{
    /// <summary>A load of inputs or targets.</summary>
    public TimeSpan Load { get; init; }

    /// <summary>The loss and its gradient; a stage's own loss as well.</summary>
    public TimeSpan Loss { get; init; }

    /// <summary>An update of a slice.</summary>
    public TimeSpan Update { get; init; }

    /// <summary>Every other job.</summary>
    public TimeSpan Other { get; init; }
}
