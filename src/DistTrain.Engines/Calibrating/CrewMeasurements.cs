using System.Diagnostics;
using DistTrain.Engines.Shared;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Engines;

/// <summary>Measures how compute threads help each other.</summary>
/// <param name="fastest">Times pieces.</param>
/// <param name="threads">Compute threads.</param>
internal sealed class CrewMeasurements(FastestOf fastest, int threads)
{
    // Pieces that a helper runs: one that it comes in time for when it sleeps, and one when it looks for work.
    // Between them lies how long a helper looks for work before it sleeps (CrewMember).
    private const double SleepingMicroseconds = 400, SpinningMicroseconds = 10, PauseMicroseconds = 200;
    private const int Repeats = 25;

    /// <summary>How many times faster all threads compute a large product.</summary>
    public double Speedup()
    {
        if (threads < 2)
        {
            return 1;
        }

        // The products of a layer whose operands are in the cache that threads share.
        const int Rows = 64, Outputs = 256, Inputs = 784, Milliseconds = 40;
        using ComputeCrew crew = new(threads - 1, new NoJobs());
        using Tensor<float> x = new(Rows, Inputs), w = new(Outputs, Inputs), s = new(Rows, Outputs);
        CrewAndCaller all = new(crew, threads);
        return Math.Clamp(Time(null) / Time(all), 1, threads);

        double Time(IForkJoin? fork) => fastest.Seconds(Milliseconds, () =>
        {
            Gemm.Multiply(x.View, false, w.View, true, s.View, fork: fork);
            Gemm.Multiply(s.View, true, x.View, false, w.View, fork: fork);
        });
    }

    /// <summary>Until a thread that looks for work begins with some, in seconds.</summary>
    public double HandOver() => HelpAfter(SpinningMicroseconds, pauseMicroseconds: 0);

    /// <summary>Until a thread that sleeps begins with some, in seconds.</summary>
    public double Wake() => HelpAfter(SleepingMicroseconds, PauseMicroseconds);

    /// <summary>How much longer two pieces take on two threads than one on one; the lower quartile: waking is not always the fastest, and
    /// a helper whose core others use comes late.</summary>
    private double HelpAfter(double microseconds, double pauseMicroseconds)
    {
        using ComputeCrew crew = new(1, new NoJobs());
        Pieces pieces = new(microseconds), pause = new(pauseMicroseconds);
        double[] late = new double[Repeats];
        for (int repeat = 0; repeat < Repeats; repeat++)
        {
            fastest.ThrowIfStopped();
            crew.Run(pieces, 2);
            pause.RunChunk(0);
            long start = fastest.Time.GetTimestamp();
            crew.Run(pieces, 2);
            late[repeat] = Math.Max(0, fastest.Time.GetElapsedTime(start).TotalSeconds - (microseconds * 1e-6));
        }

        Array.Sort(late);
        return Math.Max(late[Repeats / 4], 1e-8);
    }

    /// <summary>A crew and the thread that calls it, as wide as both.</summary>
    private sealed class CrewAndCaller(ComputeCrew crew, int width) : IForkJoin
    {
        public int Width => width;

        public void Run(IChunkedWork work, int chunks) => crew.Run(work, chunks);
    }

    /// <summary>Pieces of a given time.</summary>
    private sealed class Pieces(double microseconds) : IChunkedWork
    {
        private readonly long _ticks = (long)(microseconds * 1e-6 * Stopwatch.Frequency);

        public void RunChunk(int chunk)
        {
            long end = Stopwatch.GetTimestamp() + _ticks;
            while (Stopwatch.GetTimestamp() < end)
            {
                Thread.SpinWait(1);
            }
        }
    }

    /// <summary>The crew only forks here.</summary>
    private sealed class NoJobs : IJobRunner
    {
        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => throw new InvariantException("Calibration runs no jobs of its own.");

        public KeptParameters ReadParameters(long step) => KeptParameters.None;
    }
}
