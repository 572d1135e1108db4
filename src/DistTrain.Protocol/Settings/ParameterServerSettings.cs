using DistTrain.Numerics.Compression;

namespace DistTrain.Protocol.Settings;

/// <summary>When a contribution is applied.</summary>
public enum Consistency
{
    /// <summary>A step's update is made of every replica's contribution, added in replica order.</summary>
    Sync,

    /// <summary>Each replica's contribution is applied when it arrives; staleness ends at
    /// <see cref="Limits.AsyncStalenessStepsMax"/>.</summary>
    Async,

    /// <summary>As async, and no replica starts a step more than the bound ahead of the slowest one (Ho et al. 2013).</summary>
    Ssp,
}

/// <summary>How the contributions of replicas become one gradient.</summary>
public enum Aggregate
{
    /// <summary>Mean over the step's rows: the sum of contributions, in replica order.</summary>
    Mean,

    /// <summary>Coordinate-wise median (Yin et al. 2018).</summary>
    Median,

    /// <summary>Coordinate-wise mean without the Byzantine-count largest and smallest values (Yin et al. 2018).</summary>
    TrimmedMean,

    /// <summary>The one contribution that is nearest to its neighbours (Blanchard et al. 2017).</summary>
    Krum,
}

/// <summary>The parameter server: shards, consistency, aggregation, compression.</summary>
public sealed record ParameterServerSettings
{
    /// <summary>Shards; each tensor lives on one. 1 … <see cref="Limits.ShardsMax"/>.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Copies of each shard; 1 or 2.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>When contributions are applied.</summary>
    public Consistency Consistency { get; init; } = Consistency.Sync;

    /// <summary>ssp's bound: how many steps a replica may be ahead of the slowest one; 0 …
    /// <see cref="Limits.AsyncStalenessStepsMax"/>. Default 3.</summary>
    public int StalenessStepsMax { get; init; } = 3;

    /// <summary>How replicas' contributions become one gradient.</summary>
    public Aggregate Aggregate { get; init; } = Aggregate.Mean;

    /// <summary>Byzantine replicas that trimmed mean and Krum allow for. Default 1.</summary>
    public int ByzantineMax { get; init; } = 1;

    /// <summary>Encoding of contributions.</summary>
    public CompressionKind Compression { get; init; } = CompressionKind.None;

    /// <summary>Share of each tensor's values that top-k sends, in (0, 1]. Default 0.01.</summary>
    public double TopKRatio { get; init; } = 0.01;
}
