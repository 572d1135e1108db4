using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines.Tracing;

/// <summary>An actor's job.</summary>
/// <param name="Actor">Whose.</param>
/// <param name="Node">Where it ran, from 0.</param>
/// <param name="StartNanoseconds">Since the run's start, on the engine's clock.</param>
/// <param name="EndNanoseconds">Since the run's start.</param>
/// <param name="Kind">What it did.</param>
/// <param name="Step">Training step, from 1; 0 in evaluation and outside of steps.</param>
/// <param name="MicroBatch">From 0; −1 where it belongs to none.</param>
/// <param name="WeightVersion">Passes: the step after which the weights are. Updates: how many updates were in the weights before. −1 elsewhere.</param>
public readonly record struct TraceSpan(
    ActorId Actor, int Node, long StartNanoseconds, long EndNanoseconds, JobKind Kind, long Step, int MicroBatch, long WeightVersion)
{
    /// <summary>A backward pass: the step whose update its gradient goes into, from 1; 0 elsewhere.</summary>
    public long UpdateStep { get; init; }

    /// <summary>The span of a job.</summary>
    public static TraceSpan Of(ActorId actor, int node, long start, long end, Job job)
    {
        (long step, int microBatch, long version) = job switch
        {
            StageJob { Training: true } stage => (stage.Step, stage is CompressJob ? -1 : stage.MicroBatch, stage.WeightStep),
            StageJob evaluation => (0, -1, evaluation.WeightStep),
            ApplyJob apply => (apply.Step, -1, apply.Update - 1),
            PartialsJob partials => (partials.Step, -1, -1),
            DecideJob decide => (decide.Step, -1, -1),
            _ => (0L, -1, -1L),
        };
        return new TraceSpan(actor, node, start, end, JobKinds.Of(job), step, microBatch, version)
        {
            UpdateStep = job is BackwardJob { Training: true } backward ? backward.UpdateStep : 0,
        };
    }
}
