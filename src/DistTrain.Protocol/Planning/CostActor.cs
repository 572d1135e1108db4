namespace DistTrain.Protocol.Planning;

/// <summary>
/// Bytes that an actor holds at most, whether it has a copy of its own or is lent one by its neighbour in the same process. The data set and working memory
/// within a product are not in them.
/// </summary>
/// <param name="Name">The actor, or the first of its kind.</param>
/// <param name="Count">How many are like it: replicas, shares of the features.</param>
public sealed record CostActor(string Name, int Count)
{
    /// <summary>Weights, in every version that is needed at once.</summary>
    public double WeightBytes { get; init; }

    /// <summary>Optimizer state, in every version.</summary>
    public double StateBytes { get; init; }

    /// <summary>Gradients, those that wait included, and residuals of compression.</summary>
    public double GradientBytes { get; init; }

    /// <summary>Activations that a schedule stores between forward and backward passes, with inputs, targets and signals; those of an evaluation where these are more.</summary>
    public double ActivationBytes { get; init; }

    /// <summary>Micro-batches whose activations are stored at once.</summary>
    public int StoredActivations { get; init; }

    /// <summary>Front contribution: S₀ and coordinates of all rows; at the first stage the basis and the tiles under way.</summary>
    public double ContributionBytes { get; init; }

    /// <summary>All of it.</summary>
    public double TotalBytes => WeightBytes + StateBytes + GradientBytes + ActivationBytes + ContributionBytes;
}
