namespace DistTrain.Engines.Tracing;

/// <summary>Where the layer actors' training time went.</summary>
/// <param name="Layers">In actor order.</param>
/// <param name="Elapsed">Training time without evaluation, in nanoseconds.</param>
/// <param name="Utilisation">Share of all layer actors' training time that went to jobs.</param>
/// <param name="Bubble">Of the time in which any step is between its first and its last job: the share in which the layer actors that
/// train are without a job. Between steps nothing counts. NaN before the first job.</param>
public sealed record LockReport(IReadOnlyList<LayerTimes> Layers, long Elapsed, double Utilisation, double Bubble);
