using DistTrain.Data;
using DistTrain.Engines.Simulated;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Networks;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines;

/// <summary>
/// Measures what actors take around the arithmetic: runs of tiny networks on one compute thread that differ in how many jobs and messages a step has. The
/// simulated engine counts both and says what the arithmetic takes.
/// </summary>
/// <param name="fastest">Times pieces.</param>
internal sealed class ActorMeasurements(FastestOf fastest)
{
    // Runs of about a millisecond: on a busy machine some of them are not disturbed. They are compiled to their final form while they repeat.
    private const int Milliseconds = 60, Passes = 6, Steps = 150, StretchSteps = 10, Width = 16, Rows = 8;

    private static readonly (int Stages, int MicroBatches)[] s_runs = [(1, 1), (1, 4), (4, 1), (4, 4)];

    /// <summary>Seconds of a message, of a job and of a run's start and end.</summary>
    /// <param name="machine">What has been measured of the arithmetic.</param>
    public (double Message, double Job, double Start) Measure(MachineProfile machine)
    {
        const double Unit = 1e-6;
        double[] measured = [.. s_runs.Select(_ => double.PositiveInfinity)];
        double start = double.PositiveInfinity;
        for (int pass = 0; pass < Passes; pass++)
        {
            start = Math.Min(start, fastest.Seconds(Milliseconds, () => Run(Request(1, 1, 1))));
            for (int run = 0; run < s_runs.Length; run++)
            {
                double seconds = double.PositiveInfinity;
                RunRequest request = Request(s_runs[run].Stages, s_runs[run].MicroBatches, Steps);
                fastest.Seconds(Milliseconds, () => seconds = Math.Min(seconds, Run(request)));
                measured[run] = Math.Min(measured[run], seconds);
            }
        }

        double[][] rows = new double[s_runs.Length][];
        for (int run = 0; run < rows.Length; run++)
        {
            RunRequest request = Request(s_runs[run].Stages, s_runs[run].MicroBatches, Steps);
            double arithmetic = Predicted(request, machine with { MessageSeconds = 0, JobSeconds = 0 });
            double messages = (Predicted(request, machine with { MessageSeconds = Unit, JobSeconds = 0 }) - arithmetic) / Unit;
            double jobs = (Predicted(request, machine with { MessageSeconds = 0, JobSeconds = Unit }) - arithmetic) / Unit;
            double around = Math.Max(measured[run] - arithmetic, 1e-7);
            rows[run] = [messages / around, jobs / around];
        }

        (double message, double job) = Fit(rows);
        return (message, job, start);
    }

    /// <summary>Seconds of a step in the simulated engine as one node with one compute thread.</summary>
    private static double Predicted(RunRequest request, MachineProfile machine)
    {
        StepClock clock = new();
        RunRequest simulated = request with
        {
            Simulation = new SimulationSettings { Machine = machine, Nodes = 1, SlotsPerNode = 1, Latency = TimeSpan.Zero, TimingOnly = true },
        };
        new SimulatedEngine().Run(simulated, clock, CancellationToken.None);
        return clock.SecondsPerStep;
    }

    /// <summary>The two that explain the rows best, neither below 0.</summary>
    private static (double Message, double Job) Fit(double[][] rows)
    {
        double[] both = LeastSquares.Solve(rows, [true, true]);
        return both[0] < 0 ? (0, LeastSquares.Solve(rows, [false, true])[1])
            : both[1] < 0 ? (LeastSquares.Solve(rows, [true, false])[0], 0)
            : (both[0], both[1]);
    }

    private double Run(RunRequest request)
    {
        StepClock clock = new();
        new ThreadsEngine(fastest.Time).Run(request, clock, CancellationToken.None);
        return clock.Quantile(0, StretchSteps);
    }

    private static RunRequest Request(int stages, int microBatches, int steps)
    {
        int[] labels = [.. Enumerable.Range(0, Rows * microBatches).Select(row => row % Width)];
        DataSet<float> rows = DataSet<float>.FromLabels("calibration", Width, new float[labels.Length * Width], labels, Width);
        return new RunRequest
        {
            Settings = new RunSettings
            {
                Name = "calibration",
                Network = new NetworkSpec(
                    Width, [.. Enumerable.Repeat(new DenseSpec(Width, ActivationKind.Relu), 3), new DenseSpec(Width, ActivationKind.Softmax)]),
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = 0.9 },
                Training = new TrainingSettings(steps, labels.Length, microBatches) { EvaluateEvery = steps },
                Stages = [.. Enumerable.Repeat(4 / stages, stages)],
                CheckpointEverySteps = 0,
            },
            Data = RunData.From(new TrainTest<float>(rows, null)),
            ComputeThreads = 1,
        };
    }
}
