namespace DistTrain.Protocol.Planning;

/// <summary>Messages of one type, as a run's summary counts them.</summary>
/// <param name="Tag">The type's tag.</param>
/// <param name="Link">Between which actors.</param>
/// <param name="PerStep">Messages of a step; 0 for those outside of steps.</param>
/// <param name="BytesPerStep">Tensor bytes of a full step.</param>
/// <param name="Total">Messages of the whole run.</param>
/// <param name="BytesTotal">Tensor bytes of the whole run.</param>
public sealed record CostMessage(string Tag, CostLink Link, double PerStep, double BytesPerStep, double Total, double BytesTotal);
