using System.Numerics;
using DistTrain.Data;
using DistTrain.Engines.Shared;
using DistTrain.Engines.Threads;
using DistTrain.Numerics.Initialization;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Networks;
using DistTrain.Numerics.Optimizers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Planning;
using DistTrain.Protocol.Settings;

namespace DistTrain.Engines;

/// <summary>
/// Measures this machine's <see cref="MachineProfile"/> in about four seconds, with the kernels and actors that runs use. Of each piece the fastest
/// of many repetitions counts: others on the machine only ever make it slower.
/// </summary>
public sealed class Calibration
{
    // Repetitions of a piece: for so long, and at least so often.
    private const int RepeatMilliseconds = 60;
    private const int RepeatsMin = 5;

    // Runs are compiled to their final form while they repeat, in several passes.
    private const int RunMilliseconds = 120;
    private const int RunPasses = 8;

    private readonly TimeProvider _time;
    private readonly int _threads;

    private Calibration(int threads, TimeProvider time) => (_threads, _time) = (threads, time);

    /// <summary>The profile of this machine.</summary>
    /// <param name="name">Its name, for people.</param>
    /// <param name="threads">Compute threads; 0 for one per core.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public static MachineProfile Measure(string name, int threads = 0, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return new Calibration(threads > 0 ? threads : Environment.ProcessorCount, time ?? TimeProvider.System).Measure(name);
    }

    private MachineProfile Measure(string name)
    {
        double single = ProductRate<float>(null);
        (double start, double message, double output) = Actors();
        return new MachineProfile
        {
            Name = name,
            Threads = _threads,
            ThreadSpeedup = _threads > 1 ? Math.Max(1, ThreadedRate() / single) : 1,
            ProductGigaflopsFloat32 = single,
            ProductGigaflopsFloat64 = ProductRate<double>(null),
            ProductSeconds = SmallProduct(),
            StreamRates = [StreamRate(1 << 18), StreamRate(1 << 21), StreamRate(1 << 24), StreamRate(1 << 27)],
            DrawsPerSecond = Draws(),
            MessageSeconds = message,
            OutputSeconds = output,
            StartSeconds = start,
        };
    }

    /// <summary>The fastest repetition, in seconds.</summary>
    private double Fastest(Action piece, int milliseconds = RepeatMilliseconds)
    {
        double fastest = double.PositiveInfinity;
        long begin = _time.GetTimestamp();
        for (int repeat = 0; repeat < RepeatsMin || _time.GetElapsedTime(begin).TotalMilliseconds < milliseconds; repeat++)
        {
            long start = _time.GetTimestamp();
            piece();
            fastest = Math.Min(fastest, _time.GetElapsedTime(start).TotalSeconds);
        }

        return fastest;
    }

    /// <summary>A wide layer's forward product and weight gradient, in 10⁹ operations a second.</summary>
    private double ProductRate<T>(IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int Rows = 32, Outputs = 64, Inputs = 4096;
        using Tensor<T> x = new(Rows, Inputs), w = new(Outputs, Inputs), s = new(Rows, Outputs), gradient = new(Outputs, Inputs);
        double seconds = Fastest(() =>
        {
            Gemm.Multiply(x.View, false, w.View, true, s.View, fork: fork);
            Gemm.Multiply(s.View, true, x.View, false, gradient.View, fork: fork);
        });
        return 4e-9 * Rows * Outputs * Inputs / seconds;
    }

    private double ThreadedRate()
    {
        using ComputeCrew crew = new(_threads, new NoJobs());
        return ProductRate<float>(crew);
    }

    private double SmallProduct()
    {
        const int Size = 16, Products = 100;
        using Tensor<float> a = new(Size, Size), b = new(Size, Size), c = new(Size, Size);
        return Fastest(() =>
        {
            for (int product = 0; product < Products; product++)
            {
                Gemm.Multiply(a.View, false, b.View, true, c.View);
            }
        }) / Products;
    }

    /// <summary>Updates with momentum: three values read and two written each.</summary>
    private StreamRate StreamRate(int workingSetBytes)
    {
        const int Streams = 5;
        int length = workingSetBytes / (Streams * sizeof(float));
        Optimizer<float> optimizer = new(new OptimizerSpec(OptimizerKind.Sgd, 0.1) { Momentum = 0.9 });
        using Tensor<float> w = new(1, length), g = new(1, length), v = new(1, length), nextW = new(1, length), nextV = new(1, length);
        double seconds = Fastest(() => optimizer.Apply(0.1, 1, 1, w.Span, g.Span, v.Span, nextW.Span, nextV.Span));
        return new StreamRate(workingSetBytes, 1e-9 * Streams * sizeof(float) * length / seconds);
    }

    private double Draws()
    {
        const int Inputs = 4096, Units = 64;
        NetworkSpec network = new(Inputs, [new DenseSpec(Units, ActivationKind.Relu)]);
        ParameterSpec weight = new("layers.0.weight", 0, Units, Inputs);
        using Tensor<float> values = new(Units, Inputs);
        return values.Span.Length / Fastest(() => ParameterInitializer.Fill(network, weight, 1, values.Span));
    }

    /// <summary>Start, message and output value, in seconds, from three runs of a tiny network.</summary>
    private (double Start, double Message, double Output) Actors()
    {
        // Runs of about a millisecond: on a busy machine some of them are not disturbed.
        const int Outputs = 10, SmallSteps = 200, LargeRows = 250, LargeSteps = 10;
        double start = double.PositiveInfinity, few = start, many = start, messages = 0;
        for (int pass = 0; pass < RunPasses; pass++)
        {
            start = Math.Min(start, Tiny(1, 1, 1, Outputs, out _));
            few = Math.Min(few, Tiny(1, SmallSteps, 1, Outputs, out messages));
            many = Math.Min(many, Tiny(LargeRows, LargeSteps, LargeRows, Outputs, out _));
        }

        double small = (few - start) / SmallSteps, large = (many - start) / LargeSteps;
        double output = Math.Max(0, large - small) / ((LargeRows - 1) * Outputs);
        return (start, Math.Max(0, small - (Outputs * output)) * SmallSteps / messages, output);
    }

    private double Tiny(int rows, int epochs, int batch, int outputs, out double messages)
    {
        const int Inputs = 4;
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => row % outputs)];
        TrainTest<float> data = new(DataSet<float>.FromLabels("calibration", Inputs, new float[rows * Inputs], labels, outputs), null);
        RunRequest request = new()
        {
            Settings = new RunSettings
            {
                Name = "calibration",
                Network = new NetworkSpec(Inputs, [new DenseSpec(outputs, ActivationKind.Softmax)]),
                Loss = LossKind.CrossEntropy,
                Optimizer = new OptimizerSpec(OptimizerKind.Sgd, 0.01) { Momentum = 0.9 },
                Training = new TrainingSettings(epochs, batch),
                Stages = [1],
                CheckpointEverySteps = 0,
            },
            Data = RunData.From(data),
            ComputeThreads = 1,
        };
        ThreadsEngine engine = new(_time);
        RunOutcome? outcome = null;
        double seconds = Fastest(() => outcome = engine.Run(request, new Silence(), CancellationToken.None), RunMilliseconds);
        messages = outcome!.MessagesByType.Sum(type => (double)type.Value);
        return seconds;
    }

    /// <summary>The crew only forks here.</summary>
    private sealed class NoJobs : IJobRunner
    {
        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => throw new InvariantException("Calibration runs no jobs of its own.");

        public byte[][] ReadParameters(long step) => [];
    }

    private sealed class Silence : IRunObserver
    {
        public void OnStep(in StepProgress step)
        {
        }

        public void OnEpoch(EpochProgress epoch)
        {
        }

        public void OnNotice(string text)
        {
        }
    }
}
