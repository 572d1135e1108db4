using DistTrain.Engines;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Planning;

namespace DistTrain.Commands.Studies;

/// <summary>What one combination gave.</summary>
internal sealed record StudyRun(StudyCase Case)
{
    /// <summary>How it ended; null when it was refused or not started.</summary>
    public RunOutcome? Outcome { get; init; }

    /// <summary>Where its time went.</summary>
    public LockReport? Locks { get; init; }

    public StudyCurve? Curve { get; init; }

    public StudyTimeline? Timeline { get; init; }

    /// <summary>The formula (p − 1)/(m + p − 1).</summary>
    public double BubbleFormula { get; init; }

    /// <summary>One word for tables: completed, diverged, stopped, failed, refused, not run.</summary>
    public string Status => Outcome is RunOutcome outcome ? outcome.Status.ToString().ToLowerInvariant() : Case.Refusal is null ? "not run" : "refused";

    /// <summary>Why it did not complete.</summary>
    public string Reason => Case.Refusal ?? Outcome?.Reason ?? "";

    /// <summary>Training time in virtual seconds.</summary>
    public double Seconds => (Locks?.Elapsed ?? 0) / 1e9;

    /// <summary>Whether it has figures to compare.</summary>
    public bool HasFigures => Outcome is { Steps: > 0 };

    public long? StalenessMax => Locks?.Layers.Max(layer => layer.StalenessMax);

    /// <summary>Mean over all gradients of all layers.</summary>
    public double? StalenessMean => Locks?.Layers.Where(layer => layer.StalenessMean is not null).ToList() is { Count: > 0 } layers
        ? layers.Sum(layer => layer.StalenessMean!.Value * layer.Gradients) / layers.Sum(layer => layer.Gradients)
        : null;

    /// <summary>Most bytes of activations at once at one layer actor.</summary>
    public long PeakActivationBytes => Locks?.Layers.Max(layer => layer.PeakActivationBytes) ?? 0;

    public long Messages => Outcome?.MessagesByType.Sum(type => type.Value) ?? 0;

    /// <summary>Runs a combination to its end, or to a committed step once stopped.</summary>
    public static StudyRun Of(StudyCase one, IEngine engine, Action<long, long> progress, CancellationToken stop)
    {
        if (one.Request is not RunRequest request || stop.IsCancellationRequested)
        {
            return new StudyRun(one);
        }

        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        StudyTimeline timeline = new(plan.Topology.LayerActors);
        LockAccount locks = new(plan) { Listener = timeline.OnSlice };
        StudyCurve curve = new(locks.TrainingTime, !request.Simulation.TimingOnly);
        RunOutcome outcome = engine.Run(request with { Trace = new TraceFan(timeline, locks) }, new Watched(curve, progress), stop);
        int stages = plan.Stages.Count, microBatches = request.Settings.Training.MicroBatches;
        return new StudyRun(one)
        {
            // Weights are of no more use, and a study has many runs.
            Outcome = outcome with { Parameters = [] },
            Locks = locks.Report((outcome.Virtual ?? outcome.Wall).Ticks * TimeSpan.NanosecondsPerTick),
            Curve = curve,
            Timeline = timeline,
            BubbleFormula = (stages - 1.0) / (microBatches + stages - 1),
        };
    }

    private sealed class Watched(StudyCurve curve, Action<long, long> progress) : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
            curve.OnStep(step);
            progress(step.Step, step.TotalSteps);
        }

        public void OnEpoch(EpochProgress epoch) => curve.OnEpoch(epoch);

        public void OnNotice(string text) => curve.OnNotice(text);
    }
}
