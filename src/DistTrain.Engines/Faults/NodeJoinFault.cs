namespace DistTrain.Engines.Faults;

/// <summary>Nodes join: each gets a share of the actors at the next committed step.</summary>
/// <param name="Count">How many; at least 1.</param>
public sealed record NodeJoinFault(int Count) : Fault
{
    /// <inheritdoc/>
    public override string Name => "join-nodes";
}
