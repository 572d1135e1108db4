using DistTrain.Engines;

namespace DistTrain.Conformance.Chaos;

/// <summary>What goes wrong in a run on the chaos engine. Probabilities are per message or per stimulus.</summary>
internal sealed record ChaosFaults
{
    public required ulong Seed { get; init; }

    public double Drop { get; init; } = 0.05;

    public double Duplicate { get; init; } = 0.05;

    /// <summary>Longest way of a message, in milliseconds; shorter ones overtake.</summary>
    public double DelayMillisecondsMax { get; init; } = 30;

    /// <summary>Probability that some layer actor dies, per stimulus.</summary>
    public double LayerActorCrash { get; init; }

    /// <summary>Probability that some shard dies, per stimulus.</summary>
    public double ShardCrash { get; init; }

    /// <summary>Probability that an actor that lives is suspected, per stimulus.</summary>
    public double FalseSuspicion { get; init; }

    /// <summary>Crashes and suspicions of the whole run: a run whose every step is interrupted never ends.</summary>
    public int CrashesMax { get; init; } = 12;
}

/// <summary>What the chaos engine saw besides the outcome.</summary>
internal sealed record ChaosAccount
{
    public required RunOutcome Outcome { get; init; }

    /// <summary>Buffers alive after everything was given back.</summary>
    public required int LiveBuffers { get; init; }

    /// <summary>Updates of each slice in the final snapshot.</summary>
    public required IReadOnlyList<long> Updates { get; init; }

    /// <summary>Largest staleness that any shard announced.</summary>
    public required long StalenessSteps { get; init; }

    /// <summary>Actors that died or were replaced.</summary>
    public required int Crashes { get; init; }

    /// <summary>Messages that were lost.</summary>
    public required int Dropped { get; init; }
}
