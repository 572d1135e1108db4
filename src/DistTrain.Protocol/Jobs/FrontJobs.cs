namespace DistTrain.Protocol.Jobs;

/// <summary>What only front contribution asks for.</summary>
public abstract class FrontJob : Job
{
    private protected FrontJob(int inputs, int outputs)
        : base(inputs, outputs)
    {
    }
}

/// <summary>A basis of the training rows. Outputs: [0] the rows' coordinates N × F, [1] the directions F × d.</summary>
public sealed class BasisJob() : FrontJob(0, 2);

/// <summary>
/// A share's part of a tile. Inputs: [0] W₀, [1] the training rows' coordinates in the basis or none, [2] its directions or
/// none. Outputs: [0] S₀ rows × h′,
/// [1] Φ rows × the tile's columns.
/// </summary>
public sealed class ContributeJob(int share) : FrontJob(3, 2)
{
    /// <summary>The share.</summary>
    public int Share { get; } = share;

    /// <summary>The tile.</summary>
    public int Tile { get; internal set; }
}

/// <summary>
/// Adds a share's part of a tile to the contributions of all rows of its split. Inputs: [0] S₀, [1] Φ of the tile. Outputs:
/// [0] S₀, [1] Φ of the split, in place once they
/// are there.
/// </summary>
public sealed class AddTileJob() : FrontJob(2, 2)
{
    /// <summary>The tile.</summary>
    public int Tile { get; internal set; }

    /// <summary>The share: that of share 0 is put in place, the others are added.</summary>
    public int Share { get; internal set; }
}

/// <summary>
/// A share's columns of the expanded weights. Inputs: [0] W₀, [1] directions of the basis or none, then the values of the
/// slices that hold coefficients, then their
/// optimizer state, or none. Outputs: [0] columns of W, [1] of its velocity, or none.
/// </summary>
public sealed class ExpandJob(int share, int slices) : FrontJob(2 + (2 * slices), 2)
{
    /// <summary>The share.</summary>
    public int Share { get; } = share;
}

/// <summary>
/// A layer's expanded weights, from its history. Inputs: [0] the history's slice, [1] its optimizer state, or none. Outputs: [0] W,
/// [1] its velocity, or none.
/// </summary>
public sealed class ExpandHistoryJob(int history) : FrontJob(2, 2)
{
    /// <summary>Which of the plan's histories.</summary>
    public int History { get; } = history;
}

/// <summary>Puts the shares' columns together. Inputs: [0…] weights by share, then velocities by share, or none. Outputs:
/// [0] W, [1] its velocity, or none.</summary>
public sealed class AssembleJob(int shares) : FrontJob(2 * shares, 2);
