using System.Diagnostics;
using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>How many events a second the simulated engine handles on one core when only time counts: many layer actors, one layer each.</summary>
internal static class EventsBenchmark
{
    public static void Run(int layers, int steps)
    {
        Console.WriteLine($"{layers:N0} layer actors, {steps:N0} steps of 4 micro-batches, 1f1b, one shard, timing only");
        foreach (TimeSpan overhead in (TimeSpan[])[TimeSpan.Zero, new SimulationSettings().MessageOverhead])
        {
            RunRequest request = Request(layers, steps) with
            {
                Simulation = new SimulationSettings { TimingOnly = true, MessageOverhead = overhead },
            };
            long start = Stopwatch.GetTimestamp();
            using SimulatedRun run = new(request, Quiet.Instance);
            TimeSpan setUp = Stopwatch.GetElapsedTime(start);
            start = Stopwatch.GetTimestamp();
            RunOutcome outcome = run.ToEnd(CancellationToken.None);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            Trace.Assert(outcome.Status == RunStatus.Completed && outcome.Steps == steps, outcome.Reason);
            Console.WriteLine(
                $"message overhead {overhead.TotalMicroseconds} us: {run.Events:N0} events in {took.TotalSeconds:F2} s = {run.Events / took.TotalSeconds:N0} events/s; "
                + $"set-up {setUp.TotalSeconds:F2} s; virtual {outcome.Virtual!.Value.TotalSeconds:F2} s; "
                + $"{outcome.MessagesByType.Sum(type => type.Value):N0} messages; {Environment.WorkingSet >> 20:N0} MiB");
        }
    }

    private static RunRequest Request(int layers, int steps)
    {
        DataSet<float> rows = DataSet<float>.FromLabels(
            "zeros", 8, new float[8 * 4], [.. Enumerable.Range(0, 4).Select(row => row % 2)], 2);
        return new RunRequest
        {
            Data = RunData.From(new TrainTest<float>(rows, null)),
            Settings = new RunSettings
            {
                Name = "events",
                Network = new NetworkSpec(
                    8, [.. Enumerable.Range(1, layers - 1).Select(_ => new DenseSpec(8, ActivationKind.Relu)), new DenseSpec(2, ActivationKind.Softmax)]),
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.1),
                Training = new TrainingSettings(steps, 4, 4) { EvaluateEvery = steps },
                Method = new MethodSettings(Schedule: "1f1b"),
                Stages = [.. Enumerable.Repeat(1, layers)],
                CheckpointEverySteps = 0,
            },
        };
    }
}
