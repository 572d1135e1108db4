namespace DistTrain.Dashboard.Pipelines;

/// <summary>A job on a timeline; times in microseconds since the run's start.</summary>
/// <param name="Actor">Index of the actor.</param>
/// <param name="Kind">What it did, as the trace calls it.</param>
/// <param name="Staleness">Backward passes: how many versions old the gradient's weights were; −1 elsewhere.</param>
internal readonly record struct PipelineSpan(
    int Actor, double Start, double End, string Kind, long Step, int MicroBatch, long Version, long Staleness);

/// <summary>A stretch in which a layer actor waited; times in microseconds since the run's start.</summary>
internal readonly record struct PipelineWait(int Actor, double Start, double End, string Share, long Step);
