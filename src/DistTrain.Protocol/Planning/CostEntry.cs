using DistTrain.Protocol.Settings;

namespace DistTrain.Protocol.Planning;

/// <summary>What a run would cost by one method.</summary>
/// <param name="Settings">The method.</param>
/// <param name="Planned">Whether it is the experiment's own method.</param>
public sealed record CostEntry(MethodSettings Settings, bool Planned)
{
    /// <summary>Why the method cannot serve the experiment, beginning with the key; null when it can. Everything below is empty then.</summary>
    public string? Refusal { get; init; }

    /// <summary>Arithmetic of matrix products.</summary>
    public CostArithmetic Arithmetic { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Messages by type, in ordinal order of the type's tag, without acknowledgements and retries.</summary>
    public IReadOnlyList<CostMessage> Messages { get; init; } = [];

    /// <summary>What the actors hold. Replicas and shares of the features are alike, and named once.</summary>
    public IReadOnlyList<CostActor> Actors { get; init; } = [];

    /// <summary>Predicted seconds of the whole run in one process on the plan's machine.</summary>
    public double Seconds { get; init; }

    /// <summary>Front contribution with every layer collapsed: bytes of all histories in one version; actors' weights hold them.</summary>
    public double HistoryBytes { get; init; }

    /// <summary>Messages of a full step.</summary>
    public double MessagesPerStep => Messages.Sum(message => message.PerStep);

    /// <summary>Tensor bytes of a full step.</summary>
    public double BytesPerStep => Messages.Sum(message => message.BytesPerStep);

    /// <summary>Messages of the whole run.</summary>
    public double MessagesTotal => Messages.Sum(message => message.Total);

    /// <summary>Tensor bytes of the whole run.</summary>
    public double BytesTotal => Messages.Sum(message => message.BytesTotal);

    /// <summary>Bytes that all actors hold at most.</summary>
    public double MemoryBytes => Actors.Sum(actor => actor.Count * actor.TotalBytes);
}
