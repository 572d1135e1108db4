using System.Diagnostics;
using DistTrain.Engines;
using DistTrain.Engines.Faults;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// Front contribution with every layer actor but the final one dead while it trains, beside the same run undisturbed, in alternating rounds on the threads engine.
/// Time goes from the commit of an early step, when all of them are dead, to that of the last one. The ratio of a round is immune to whatever slows both; its
/// median over the rounds is the figure.
/// </summary>
internal static class FrontAloneBenchmark
{
    private const int Rows = 500, Inputs = 5_000, Classes = 10, Epochs = 200, BatchSize = 32;

    // The actors die when step 1 is issued; by this step that is over.
    private const long From = 10;

    /// <summary>Prints the figures.</summary>
    /// <param name="rounds">Rounds.</param>
    /// <param name="threads">Compute threads.</param>
    /// <returns>0; 1 when weights differ, somebody was alive after all, or the others were sent a message.</returns>
    public static int Run(int rounds, int threads)
    {
        RunData data = FrontBenchmark.Random(Rows, Inputs);
        Console.WriteLine(
            $"{Rows} rows of {Inputs}, {Inputs}-128-64-64-{Classes}, batch {BatchSize}, momentum 0.9, float32, {Epochs} epochs, a layer an actor, {threads} compute thread(s); {rounds} rounds");
        bool holds = true;
        foreach (Collapse collapse in (Collapse[])[Collapse.Input, Collapse.All])
        {
            holds &= Compare(Request(data, collapse, threads), $"collapse: {collapse.ToString().ToLowerInvariant()}", rounds);
        }

        return holds ? 0 : 1;
    }

    private static bool Compare(RunRequest request, string title, int rounds)
    {
        RunPlan plan = new(request.Settings, request.Data.TrainRows, request.Data.TestRows);
        Fault[] deaths =
        [
            .. Enumerable.Range(1, plan.Topology.LayerActors).Select(index => new ActorId(index)).Where(actor => actor != plan.Participants[0])
                .Select(actor => new CrashFault(actor, TimeSpan.Zero) { At = FaultTime.AtStep(1) }),
        ];
        List<double> ratios = [], undisturbed = [], alone = [];
        bool holds = true;
        for (int round = -1; round < rounds; round++)
        {
            Timing calm = Once(request, plan.TotalSteps), dead = Once(request with { Faults = deaths }, plan.TotalSteps);
            holds &= AreEqual(calm.Outcome, dead.Outcome) && dead.Deaths == deaths.Length && dead.Outcome is { Restarts: 1, StepsRedone: 0, FrontContribution.MessagesWhileAlone: 0 };
            if (round >= 0)
            {
                // The first round warms the kernels up.
                undisturbed.Add(calm.MicrosecondsPerStep);
                alone.Add(dead.MicrosecondsPerStep);
                ratios.Add(dead.MicrosecondsPerStep / calm.MicrosecondsPerStep);
            }
        }

        Console.WriteLine(
            $"{title,-16} {plan.TotalSteps} steps; undisturbed {Median(undisturbed):F1} us a step; the other {deaths.Length} layer actors dead {Median(alone):F1} us; "
            + $"ratio median {Median(ratios):F3}, min {ratios.Min():F3}, max {ratios.Max():F3}; weights {(holds ? "equal, no message to or from the dead" : "DIFFER, or somebody was not dead")}");
        return holds;
    }

    private static Timing Once(RunRequest request, long last)
    {
        Watcher watcher = new(last);
        RunOutcome outcome = new ThreadsEngine().Run(request, watcher, CancellationToken.None);
        Trace.Assert(outcome.Status == RunStatus.Completed, outcome.Reason);
        return new Timing(outcome, watcher.Deaths, (watcher.End - watcher.Begin).TotalMicroseconds / (last - From));
    }

    private static bool AreEqual(RunOutcome one, RunOutcome other) =>
        one.Parameters.Count > 0 && one.Parameters.Zip(other.Parameters).All(pair => pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values));

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static RunRequest Request(RunData data, Collapse collapse, int threads) => new()
    {
        Data = data,
        ComputeThreads = threads,
        Settings = new RunSettings
        {
            Name = "front-alone",
            Network = new NetworkSpec(
                data.Inputs,
                [
                    new DenseSpec(128, ActivationKind.Relu), new DenseSpec(64, ActivationKind.Relu), new DenseSpec(64, ActivationKind.Relu),
                    new DenseSpec(data.Targets, ActivationKind.Softmax),
                ]),
            Loss = LossKind.CrossEntropy,
            Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 1e-4) { Momentum = 0.9 },
            Training = new TrainingSettings(Epochs, BatchSize),
            Stages = [1, 1, 1, 1],
            Method = new MethodSettings("front-contribution") { Collapse = collapse },
            CheckpointEverySteps = 0,
        },
    };

    private sealed record Timing(RunOutcome Outcome, int Deaths, double MicrosecondsPerStep);

    private sealed class Watcher(long last) : IRunObserver
    {
        public int Deaths { get; private set; }

        public TimeSpan Begin { get; private set; }

        public TimeSpan End { get; private set; }

        public void OnStep(in StepProgress step)
        {
            Begin = step.Step == From ? step.Elapsed : Begin;
            End = step.Step == last ? step.Elapsed : End;
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }

        public void OnFault(string fault, TimeSpan elapsed) => Deaths++;
    }
}
