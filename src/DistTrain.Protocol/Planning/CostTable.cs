namespace DistTrain.Protocol.Planning;

/// <summary>What an experiment would cost by every method.</summary>
/// <param name="Methods">Backprop on every schedule, then the other methods; front contribution in both forms.</param>
/// <param name="Verdict">Whether front contribution pays; null where it cannot serve.</param>
public sealed record CostTable(IReadOnlyList<CostEntry> Methods, CostVerdict? Verdict);
