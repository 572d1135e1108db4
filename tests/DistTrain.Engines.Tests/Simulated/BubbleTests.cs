using DistTrain.Engines.Simulated;
using DistTrain.Engines.Tracing;
using DistTrain.Protocol.Jobs;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Simulated;

/// <summary>
/// Where passes alone take time, a step of p stages and m micro-batches leaves each stage idle for the share (p − 1)/(m + p − 1) of it (Huang et al. 2019,
/// Narayanan et al. 2021), and stages store as many activations as the schedules say.
/// </summary>
public sealed class BubbleTests
{
    private const int Steps = 2;

    [Theory]
    [InlineData("fill-drain", 1)]
    [InlineData("fill-drain", 2)]
    [InlineData("1f1b", 1)]
    [InlineData("1f1b", 2)]
    public void TheBubbleIsThatOfTheFormula(string schedule, int backwardPerForward)
    {
        TimeSpan forward = TimeSpan.FromMilliseconds(1);
        SimulationSettings simulation = Timing.Free with { Costs = new DeclaredCosts(forward, backwardPerForward * forward) };
        for (int stages = 2; stages <= 8; stages++)
        {
            for (int microBatches = 1; microBatches <= 32; microBatches++)
            {
                KeptTrace trace = new();
                RunRequest request = Timing.Pipeline(stages, microBatches, schedule, simulation, Steps) with { Trace = trace };
                new SimulatedEngine().Run(request, new Conformance.Support.Observed(), default).Status.ShouldBe(RunStatus.Completed);

                TraceSpan[] passes = [.. trace.Spans.Where(span => span.Step > 0 && span.Kind is JobKind.Forward or JobKind.Backward)];
                string what = $"{schedule}, {stages} stages, {microBatches} micro-batches, 1:{backwardPerForward}";
                Bubble(passes, stages).ShouldBe((stages - 1.0) / (microBatches + stages - 1), 1e-9, what);
                for (int stage = 0; stage < stages; stage++)
                {
                    int expected = schedule == "1f1b" ? Math.Min(stages - stage, microBatches) : microBatches;
                    StoredMax(passes.Where(span => span.Actor.Index == 1 + stage)).ShouldBe(expected, $"{what}, stage {stage}");
                }
            }
        }
    }

    private static double Bubble(TraceSpan[] passes, int stages)
    {
        long busy = passes.Sum(span => span.EndNanoseconds - span.StartNanoseconds);
        long makespan = passes.Max(span => span.EndNanoseconds) - passes.Min(span => span.StartNanoseconds);
        return 1 - (busy / ((double)stages * makespan));
    }

    /// <summary>Most micro-batches at once between the start of their forward and the end of their backward pass.</summary>
    private static int StoredMax(IEnumerable<TraceSpan> passes)
    {
        int stored = 0, most = 0;
        foreach (TraceSpan span in passes.OrderBy(span => span.StartNanoseconds))
        {
            stored += span.Kind == JobKind.Forward ? 1 : -1;
            most = Math.Max(most, stored);
        }

        return most;
    }
}
