using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Faults;

/// <summary>Messages from one actor to another are lost, doubled, delayed or overtaken, besides what the engine's network does anyway.</summary>
/// <param name="From">The sender; null for everybody.</param>
/// <param name="To">The receiver; null for everybody.</param>
public sealed record LinkFault(ActorId? From, ActorId? To) : Fault
{
    /// <inheritdoc/>
    public override string Name => "link";

    /// <summary>Share of messages that are lost, 0 … 1.</summary>
    public double Drop { get; init; }

    /// <summary>Share of messages that arrive twice, 0 … 1.</summary>
    public double Duplicate { get; init; }

    /// <summary>Shortest delay of a message.</summary>
    public TimeSpan DelayMin { get; init; }

    /// <summary>Longest delay of a message; each has one drawn uniformly between the two.</summary>
    public TimeSpan DelayMax { get; init; }

    /// <summary>Whether a message may overtake those sent before it.</summary>
    public bool Reorder { get; init; }

    /// <summary>How long; null to the end.</summary>
    public TimeSpan? For { get; init; }
}
