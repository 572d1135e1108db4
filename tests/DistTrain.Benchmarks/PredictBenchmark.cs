using DistTrain.Data;
using DistTrain.Engines;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Benchmarks;

/// <summary>
/// What the simulated engine says beforehand that a step takes on this machine, beside what it takes in the threads engine. Each round measures the machine anew and
/// then runs every case once; medians over the rounds count, because others use the machine too.
/// </summary>
internal static class PredictBenchmark
{
    private const double RunSeconds = 0.15, StretchSeconds = 0.001, Tolerance = 0.2, UndisturbedQuantile = 0.1;
    private const int StepsMin = 30, StepsMax = 4000, StretchStepsMin = 4, StretchStepsMax = 16, Rows = 1024, Classes = 10;

    public static void Run(int rounds, string? only)
    {
        Case[] cases = [.. Cases().Where(one => only is null || one.Title.Contains(only, StringComparison.Ordinal))];
        List<double>[] measured = [.. cases.Select(_ => new List<double>())], predicted = [.. cases.Select(_ => new List<double>())];
        List<double>[] means = [.. cases.Select(_ => new List<double>())];
        for (int round = 0; round < rounds; round++)
        {
            MachineProfile machine = Calibration.Measure("this machine", Environment.ProcessorCount);
            Console.WriteLine(
                $"round {round + 1}: {machine.ProductGigaflopsFloat32:F0} GFLOP/s, threads x{machine.ThreadSpeedup:F2}, {1e9 * machine.MessageSeconds:F0} ns a message, "
                + $"{1e9 * machine.JobSeconds:F0} ns a job, hand-over {1e6 * machine.HandOverSeconds:F2} us, wake {1e6 * machine.WakeSeconds:F0} us, streams "
                + string.Join(" ", machine.StreamRates.Select(rate => $"{rate.GigabytesPerSecond:F0}")) + " GB/s");
            for (int index = 0; index < cases.Length; index++)
            {
                double guess = Predicted(cases[index].Request(StepsMin), machine);
                int steps = (int)Math.Clamp(RunSeconds / guess, StepsMin, StepsMax);
                RunRequest request = cases[index].Request(steps);
                predicted[index].Add(Predicted(request, machine));
                (double undisturbed, double mean) = Measured(request, (int)Math.Clamp(StretchSeconds / guess, StretchStepsMin, StretchStepsMax));
                measured[index].Add(undisturbed);
                means[index].Add(mean);
            }
        }

        int within = 0;
        Console.WriteLine();
        Console.WriteLine("| case | threads | whole runs us/step | undisturbed us/step | predicted us/step | predicted / undisturbed | within 20 % |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        for (int index = 0; index < cases.Length; index++)
        {
            double ratio = Median([.. measured[index].Zip(predicted[index], (real, said) => said / real)]);
            bool holds = Math.Abs(ratio - 1) <= Tolerance;
            within += holds ? 1 : 0;
            Console.WriteLine(
                $"| {cases[index].Title} | {cases[index].Threads} | {1e6 * Median(means[index]):F1} | {1e6 * Median(measured[index]):F1} | {1e6 * Median(predicted[index]):F1} | {ratio:F2} | {(holds ? "yes" : "no")} |");
        }

        Console.WriteLine();
        Console.WriteLine($"{within} of {cases.Length} within 20 %");
    }

    private static IEnumerable<Case> Cases()
    {
        (string Title, int[] Widths, int Batch)[] networks =
        [
            ("784-128-10 b64", [784, 128, 10], 64),
            ("784-256-128-10 b64", [784, 256, 128, 10], 64),
            ("784-512-256-10 b64", [784, 512, 256, 10], 64),
            ("784-512-256-10 b256", [784, 512, 256, 10], 256),
            ("784-4x256-10 b64", [784, 256, 256, 256, 256, 10], 64),
            ("64-64-10 b32", [64, 64, 10], 32),
        ];
        foreach (int threads in (int[])[1, 2])
        {
            foreach ((string title, int[] widths, int batch) in networks)
            {
                foreach (int microBatches in (int[])[1, 4])
                {
                    yield return new Case($"{title} 1f1b m{microBatches}", threads, widths, batch, microBatches, new MethodSettings(Schedule: "1f1b"), Rows);
                }
            }

            foreach (string method in (string[])["direct-feedback-alignment", "local-loss"])
            {
                yield return new Case($"784-256-128-10 b64 {method}", threads, [784, 256, 128, 10], 64, 1, new MethodSettings(method, "1f1b"), Rows);
            }

            yield return new Case("784-256-128-10 b64 front-contribution, 256 rows", threads, [784, 256, 128, 10], 64, 1, new MethodSettings("front-contribution"), 256);
        }
    }

    private static double Predicted(RunRequest request, MachineProfile machine)
    {
        StepClock clock = new();
        RunRequest simulated = request with
        {
            Simulation = new SimulationSettings { Machine = machine, Nodes = 1, SlotsPerNode = request.ComputeThreads, Latency = TimeSpan.Zero, TimingOnly = true },
        };
        new SimulatedEngine().Run(simulated, clock, CancellationToken.None);
        return clock.SecondsPerStep;
    }

    /// <summary>The second of two runs: the first one has everything compiled and every buffer there.</summary>
    private static (double Undisturbed, double Mean) Measured(RunRequest request, int stretch)
    {
        StepClock clock = new();
        new ThreadsEngine().Run(request, new StepClock(), CancellationToken.None);
        new ThreadsEngine().Run(request, clock, CancellationToken.None);
        return (clock.Quantile(UndisturbedQuantile, stretch), clock.SecondsPerStep);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed record Case(string Title, int Threads, int[] Widths, int Batch, int MicroBatches, MethodSettings Method, int DataRows)
    {
        public RunRequest Request(int steps)
        {
            int perEpoch = DataRows / Batch, epochs = Math.Max(1, steps / perEpoch), layers = Widths.Length - 1;
            float[] values = new float[DataRows * Widths[0]];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = ((i * 7919L % 101) - 50) * 0.01f;
            }

            int[] labels = [.. Enumerable.Range(0, DataRows).Select(row => row % Classes)];
            return new RunRequest
            {
                Settings = new RunSettings
                {
                    Name = "predict",
                    Network = new NetworkSpec(
                        Widths[0],
                        [
                            .. Widths[1..^1].Select(width => new DenseSpec(width, ActivationKind.Relu)),
                            new DenseSpec(Widths[^1], ActivationKind.Softmax),
                        ]),
                    Loss = LossKind.CrossEntropy,
                    Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = 0.9 },
                    Training = new TrainingSettings(epochs, Batch, MicroBatches) { EvaluateEvery = epochs },
                    Method = Method,
                    Stages = [.. Enumerable.Repeat(1, layers)],
                    CheckpointEverySteps = 0,
                },
                Data = RunData.From(new TrainTest<float>(DataSet<float>.FromLabels("predict", Widths[0], values, labels, Classes), null)),
                ComputeThreads = Threads,
            };
        }
    }
}
