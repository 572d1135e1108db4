using DistTrain.Protocol.Jobs;

namespace DistTrain.Protocol.Messages;

/// <summary>Coordinator to the final-layer actor: have the rows contributed, from the first tile on.</summary>
[MessageTag("collect-contributions")]
public sealed record CollectContributions(long Step) : Message;

/// <summary>Final-layer actor to a first-stage actor: contribute a tile. Asking for few at a time bounds what is under
/// way.</summary>
[MessageTag("contribute")]
public sealed record Contribute(int Tile) : Message;

/// <summary>First-stage actor to the final-layer actor: its share's part of a tile.</summary>
/// <param name="Share">Which share.</param>
/// <param name="Tile">Which tile.</param>
/// <param name="Outputs">S₀: rows × h′.</param>
/// <param name="Coordinates">Φ: rows × the tile's columns.</param>
[MessageTag("contributed-tile")]
public sealed record ContributedTile(int Share, int Tile, BufferHandle Outputs, BufferHandle Coordinates) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Outputs;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Coordinates;
}

/// <summary>Final-layer actor to the coordinator: everything is contributed; it needs no other layer actor from now on.</summary>
[MessageTag("contributed")]
public sealed record Contributed(long Step) : Message;

/// <summary>Coordinator to shards: have the collapsed layers' weights of a committed step expanded.</summary>
[MessageTag("expand")]
public sealed record Expand(long Step) : Message;

/// <summary>Shard to first-stage actors: a slice with coefficients of a committed step, to be expanded.</summary>
/// <param name="Step">The step.</param>
/// <param name="Slice">The slice.</param>
/// <param name="Values">Its tensors.</param>
/// <param name="Velocity">The optimizer's state, or none.</param>
[MessageTag("coefficients")]
public sealed record Coefficients(long Step, int Slice, BufferHandle Values, BufferHandle Velocity) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Values;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Velocity;
}

/// <summary>First-stage actor to a shard: its share's columns of the expanded weights and of their velocity.</summary>
[MessageTag("expanded-share")]
public sealed record ExpandedShare(long Step, int Share, BufferHandle Weights, BufferHandle Velocity) : Message
{
    /// <inheritdoc/>
    internal override BufferHandle FirstBuffer => Weights;

    /// <inheritdoc/>
    internal override BufferHandle SecondBuffer => Velocity;
}

/// <summary>Shard to the coordinator: a layer's expanded weights of a step are all there.</summary>
/// <param name="Step">The step.</param>
/// <param name="Slice">The slice that received them.</param>
[MessageTag("expanded")]
public sealed record Expanded(long Step, int Slice) : Message;
