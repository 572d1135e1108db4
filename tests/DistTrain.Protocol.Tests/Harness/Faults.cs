namespace DistTrain.Protocol.Tests.Harness;

/// <summary>What goes wrong in a run, in shares of events.</summary>
internal sealed record Faults
{
    /// <summary>Nothing but latency.</summary>
    public static Faults None => new();

    /// <summary>Share of envelopes lost.</summary>
    public double Loss { get; init; }

    /// <summary>Share of envelopes delivered twice.</summary>
    public double Duplication { get; init; }

    /// <summary>Longest latency of an envelope, in milliseconds; it overtakes within this.</summary>
    public int LatencyMax { get; init; } = 5;

    /// <summary>Longest time of a job, in milliseconds.</summary>
    public int JobMax { get; init; } = 4;

    /// <summary>Chance per event that a layer actor dies.</summary>
    public double LayerCrash { get; init; }

    /// <summary>Chance per event that a shard dies.</summary>
    public double ShardCrash { get; init; }

    /// <summary>Chance per event that a living actor is suspected.</summary>
    public double FalseSuspicion { get; init; }

    /// <summary>Chance per event that the coordinator dies with everything it kept; only where shards have copies.</summary>
    public double CoordinatorCrash { get; init; }

    /// <summary>Chance per event that the coordinator stops for a while and is replaced meanwhile; only where shards have copies.</summary>
    public double CoordinatorPause { get; init; }

    /// <summary>Longest time until something that died can be started again, in milliseconds.</summary>
    public int DownMax { get; init; } = 1;

    /// <summary>Most deaths and suspicions.</summary>
    public int Most { get; init; } = 6;

    /// <summary>Event after which the user asks for a stop; −1 for never.</summary>
    public int StopAfterEvents { get; init; } = -1;

    /// <summary>Envelopes from one actor index to another are lost until this time, in milliseconds.</summary>
    public (int From, int To, long Until) Cut { get; init; } = (-1, -1, 0);

    /// <summary>Whether the cut takes bare acknowledgements only.</summary>
    public bool CutsAcknowledgementsOnly { get; init; }
}
