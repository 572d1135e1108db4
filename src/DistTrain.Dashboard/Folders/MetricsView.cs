namespace DistTrain.Dashboard.Folders;

/// <summary>A completed epoch as the metrics log has it.</summary>
internal sealed record EpochRow(
    long Step, int Epoch, double Elapsed, double TrainLoss, double TrainAccuracy, double TestLoss, double TestAccuracy);

/// <summary>A layer's health at a step.</summary>
internal sealed record HealthRow(
    long Step, double Zero, double Dead, double Saturated, double GradientNorm, double UpdateRatio);

/// <summary>The curves of one start of a run.</summary>
internal sealed record StartCurves(int Restart, CurveColumns Steps, EpochRow[] Epochs);

/// <summary>The health of a layer.</summary>
internal sealed record LayerHealth(string Layer, HealthRow[] Rows);

/// <summary>What a metrics log says, small enough for a page whatever the log's length.</summary>
/// <param name="Version">Changes whenever the rest does.</param>
/// <param name="Rows">Lines of the log.</param>
/// <param name="Unreadable">Lines that were no metrics.</param>
/// <param name="TotalSteps">Planned steps; 0 where the log does not say.</param>
/// <param name="Starts">The starts from several seeds, or the only one.</param>
/// <param name="Health">By layer, in order of first mention.</param>
internal sealed record MetricsView(long Version, long Rows, long Unreadable, long TotalSteps, IReadOnlyList<StartCurves> Starts, IReadOnlyList<LayerHealth> Health);
