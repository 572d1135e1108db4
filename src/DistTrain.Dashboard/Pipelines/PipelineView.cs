namespace DistTrain.Dashboard.Pipelines;

/// <summary>How old the weights of an actor's gradients were, in versions.</summary>
internal sealed record ActorStaleness(string Actor, double Mean, long Max);

/// <summary>Where an actor's time went in the steps shown, in microseconds; what is left of them it had nothing to do, or waited for a compute thread.</summary>
internal sealed record ActorShares(string Actor, double Busy, double ForwardLock, double UpdateLock, double BackwardLock, double Parameters, double Rest);

/// <summary>The last steps of a run on a timeline.</summary>
/// <param name="Actors">The actors' names; spans and waits name them by position.</param>
/// <param name="Spans">Jobs of the steps shown, in order of their start.</param>
/// <param name="Waits">Waits in the same stretch of time; empty where the engine tells none.</param>
/// <param name="Stages">Layer actors of a replica.</param>
/// <param name="MicroBatches">Micro-batches of a step.</param>
/// <param name="Bubble">Of the time in which a step is under way, the share in which layer actors are without a job; NaN where there is none.</param>
/// <param name="BubbleFormula">(p − 1)/(m + p − 1).</param>
/// <param name="FirstStep">First step shown; 0 where there is none.</param>
/// <param name="LastStep">Last step shown.</param>
/// <param name="Shares">By layer actor, where the engine tells waits.</param>
/// <param name="Staleness">By layer actor, where gradients are numbered.</param>
internal sealed record PipelineView(
    IReadOnlyList<string> Actors,
    IReadOnlyList<PipelineSpan> Spans,
    IReadOnlyList<PipelineWait> Waits,
    int Stages,
    int MicroBatches,
    double Bubble,
    double BubbleFormula,
    long FirstStep,
    long LastStep,
    IReadOnlyList<ActorShares> Shares,
    IReadOnlyList<ActorStaleness> Staleness)
{
    /// <summary>Most jobs on a page.</summary>
    public const int SpansMax = 3000;

    /// <summary>Steps on a page, where so many fit.</summary>
    public const int StepsShown = 6;

    private const string LayerPrefix = "layer-";

    /// <summary>The last steps among some spans.</summary>
    /// <param name="actors">Names by index.</param>
    /// <param name="spans">Jobs; any order, and more than are shown.</param>
    /// <param name="waits">Waits; any order.</param>
    public static PipelineView Of(IReadOnlyList<string> actors, IReadOnlyList<PipelineSpan> spans, IReadOnlyList<PipelineWait> waits)
    {
        bool[] isLayer = [.. actors.Select(name => name.StartsWith(LayerPrefix, StringComparison.Ordinal))];
        PipelineSpan[] training = [.. spans.Where(span => span.Step > 0)];
        PipelineSpan[] shown = LastSteps(training);
        PipelineSpan[] passes = [.. shown.Where(span => isLayer[span.Actor])];
        double from = passes.Length == 0 ? 0 : passes.Min(span => span.Start), to = passes.Length == 0 ? 0 : passes.Max(span => span.End);
        PipelineWait[] inside = [.. waits.Where(wait => wait.End > from && wait.Start < to).OrderBy(wait => wait.Start)];
        int stages = CountStages(actors), microBatches = training.Length == 0 ? 1 : 1 + training.Max(span => span.MicroBatch);
        return new PipelineView(
            actors,
            shown,
            [.. inside.Take(SpansMax)],
            stages,
            Math.Max(1, microBatches),
            BubbleOf(passes, isLayer.Count(layer => layer)),
            stages == 0 ? double.NaN : (stages - 1.0) / (Math.Max(1, microBatches) + stages - 1),
            shown.Length == 0 ? 0 : shown.Min(span => span.Step),
            shown.Length == 0 ? 0 : shown.Max(span => span.Step),
            SharesOf(actors, isLayer, passes, inside, from, to),
            [.. training.Where(span => span.Staleness >= 0).GroupBy(span => span.Actor).OrderBy(group => group.Key)
                .Select(group => new ActorStaleness(actors[group.Key], group.Average(span => span.Staleness), group.Max(span => span.Staleness)))]);
    }

    private static PipelineSpan[] LastSteps(PipelineSpan[] training)
    {
        if (training.Length == 0)
        {
            return [];
        }

        // The newest step is still under way, or cut off where a trace ends, so that it is shown only where it is alone.
        long last = training.Max(span => span.Step);
        last = training.Any(span => span.Step < last) ? last - 1 : last;
        long first = Math.Max(1, last - StepsShown + 1);
        PipelineSpan[] shown;
        do
        {
            shown = [.. training.Where(span => span.Step >= first && span.Step <= last).OrderBy(span => span.Start)];
            first++;
        }
        while (shown.Length > SpansMax && first <= last);
        return shown.Length > SpansMax ? shown[..SpansMax] : shown;
    }

    private static int CountStages(IReadOnlyList<string> actors) => actors
        .Where(name => name.StartsWith(LayerPrefix, StringComparison.Ordinal))
        .Select(name => name[LayerPrefix.Length..].Split('/')[0])
        .Distinct(StringComparer.Ordinal)
        .Count();

    private static double BubbleOf(PipelineSpan[] passes, int layerActors)
    {
        double covered = Union(passes.GroupBy(span => span.Step).Select(step => (step.Min(span => span.Start), step.Max(span => span.End))));
        double busy = passes.GroupBy(span => span.Actor).Sum(actor => Union(actor.Select(span => (span.Start, span.End))));
        return covered <= 0 ? double.NaN : 1 - (busy / (covered * layerActors));
    }

    private static IReadOnlyList<ActorShares> SharesOf(
        IReadOnlyList<string> actors, bool[] isLayer, PipelineSpan[] passes, PipelineWait[] waits, double from, double to)
    {
        if (waits.Length == 0)
        {
            return [];
        }

        ILookup<int, PipelineSpan> passesOf = passes.ToLookup(span => span.Actor);
        ILookup<(int, string), PipelineWait> waitsOf = waits.ToLookup(wait => (wait.Actor, wait.Share));
        return [.. Enumerable.Range(0, actors.Count).Where(actor => isLayer[actor]).Select(actor =>
        {
            double Of(string share) => waitsOf[(actor, share)].Sum(wait => Math.Min(wait.End, to) - Math.Max(wait.Start, from));
            double busy = Union(passesOf[actor].Select(span => (span.Start, span.End)));
            double forward = Of("forward lock"), update = Of("update lock"), backward = Of("backward lock"), parameters = Of("parameters");
            return new ActorShares(actors[actor], busy, forward, update, backward, parameters, Math.Max(0, to - from - busy - forward - update - backward - parameters));
        })];
    }

    private static double Union(IEnumerable<(double Start, double End)> stretches)
    {
        (double sum, double end) = (0, double.NegativeInfinity);
        foreach ((double from, double to) in stretches.OrderBy(stretch => stretch.Start))
        {
            sum += Math.Max(0, to - Math.Max(from, end));
            end = Math.Max(end, to);
        }

        return sum;
    }
}
