using System.Diagnostics;
using System.Numerics;
using DistTrain.Engines.Shared;
using DistTrain.Numerics;
using DistTrain.Numerics.Kernels;
using DistTrain.Numerics.Layers;
using DistTrain.Numerics.Tensors;
using DistTrain.Protocol.Jobs;

namespace DistTrain.Benchmarks;

/// <summary>
/// The three products of a dense layer's step, beside OpenBLAS: x·Wᵀ forward, δ·W backward, δᵀ·x for the gradient. Both take turns on the same
/// operands, on several threads with a pause between them, and on operands in three places; of each the fastest repetition counts, because whatever else the machine does only ever adds
/// time. Where the core is shared with somebody, both are repeated until it was not for a while, or patience ends.
/// </summary>
internal static unsafe class GemmBenchmark
{
    private const double RepeatSeconds = 40e-6;
    private const int Repeats = 400;

    private const int Rounds = 5;

    // Until then what has just been called for the first time has been compiled for the last time.
    private const double LeastSeconds = 0.3;

    // What a small product takes depends on where its operands happen to lie.
    private const int Placements = 3;

    // How long a product waits at most for a core of its own, and how often it wants to have had one.
    private const double PatienceSeconds = 1;
    private const int WholeMin = 3;

    private static int s_shared;

    private static readonly (int Inputs, int Outputs)[] Layers =
        [(784, 128), (784, 512), (512, 256), (256, 10), (128, 10), (64, 64), (64, 10), (1_024, 1_024), (2_048, 2_048), (1_000, 300), (783, 127)];

    private static readonly int[] Batches = [16, 64, 256];

    /// <summary>Prints a row a shape.</summary>
    public static void Run(int threads, string? part)
    {
        if (!OpenBlas.IsInstalled)
        {
            Console.WriteLine("libopenblas.so.0 is not installed, so there is no comparison with it");
            return;
        }

        Console.WriteLine($"{OpenBlas.Version}; {threads} thread(s) on both sides");
        Console.WriteLine("| product | m × k × n | precision | ours GFLOP/s | OpenBLAS GFLOP/s | ours / OpenBLAS |");
        Console.WriteLine("|---|---|---|---|---|---|");
        OpenBlas.SetThreads(threads);
        using ComputeCrew? crew = threads > 1 ? new ComputeCrew(threads - 1, new NoJobs()) : null;
        IForkJoin? fork = crew is null ? null : new CrewAndCaller(crew, threads);
        List<double> ratios = [];
        foreach (int batch in Batches)
        {
            foreach ((int inputs, int outputs) in Layers)
            {
                (string Kind, int M, int K, int N, bool TransposeA, bool TransposeB)[] products =
                [
                    ("forward", batch, inputs, outputs, false, true),
                    ("signal", batch, outputs, inputs, false, false),
                    ("gradient", outputs, batch, inputs, true, false),
                ];
                foreach ((string kind, int m, int k, int n, bool transposeA, bool transposeB) in products)
                {
                    string title = $"{kind} {batch} {inputs}-{outputs}";
                    if (part is null || title.Contains(part, StringComparison.Ordinal))
                    {
                        ratios.Add(Compare<float>(kind, m, k, n, transposeA, transposeB, fork));
                        ratios.Add(Compare<double>(kind, m, k, n, transposeA, transposeB, fork));
                    }
                }
            }
        }

        if (ratios.Count == 0)
        {
            throw new InvalidInputException($"'{part}' is part of no product's title; expected something such as 'forward 16 256-10' or 'gradient'");
        }

        ratios.Sort();
        Console.WriteLine($"{ratios.Count} products: median {ratios[ratios.Count / 2]:F2}, least {ratios[0]:F2}; below 0.95: {ratios.Count(ratio => ratio < 0.95)}");
        Console.WriteLine($"{s_shared} of them were never measured on a core that nobody else used");
    }

    private static double Compare<T>(string kind, int m, int k, int n, bool transposeA, bool transposeB, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Operands<T>[] placements = [.. Enumerable.Range(0, Placements).Select(_ => new Operands<T>(m, k, n, transposeA, transposeB))];
        double ours = double.PositiveInfinity, peers = double.PositiveInfinity;
        bool isWhole = false;
        foreach (Operands<T> operands in placements)
        {
            (double our, double peer, bool whole) = Measure(operands, m, k, n, fork);
            (ours, peers, isWhole) = (Math.Min(ours, our), Math.Min(peers, peer), isWhole || whole);
        }

        foreach (Operands<T> operands in placements)
        {
            operands.Dispose();
        }

        s_shared += isWhole ? 0 : 1;
        double scale = 1e-9 * 2.0 * m * n * k;
        string precision = typeof(T) == typeof(float) ? "float32" : "float64";
        Console.WriteLine($"| {kind} | {m} × {k} × {n} | {precision} | {scale / ours:F0} | {scale / peers:F0} | {peers / ours:F2} |");
        return peers / ours;
    }

    /// <summary>Seconds of one product on both sides, and whether the core was its own often enough.</summary>
    private static (double Ours, double Peers, bool IsWhole) Measure<T>(Operands<T> operands, int m, int k, int n, IForkJoin? fork)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (Tensor<T> a, Tensor<T> b, Tensor<T> c, Tensor<T> d) = (operands.A, operands.B, operands.C, operands.D);
        (bool transposeA, bool transposeB) = (operands.TransposeA, operands.TransposeB);
        fixed (T* first = a.Span, second = b.Span, result = d.Span)
        {
            T* left = first, right = second, target = result;
            double ours = double.PositiveInfinity, peers = double.PositiveInfinity;
            int calls = (int)Math.Max(1, RepeatSeconds * 2e11 / (2.0 * m * n * k));
            int repeats = (int)Math.Clamp(Repeats * RepeatSeconds * 2e11 / (2.0 * m * n * k), 25, Repeats);

            // On one thread they take turns at every repetition; on several each has the cores to itself for a while.
            int rounds = fork is null ? repeats : Rounds, whole = 0;
            long start = Stopwatch.GetTimestamp();
            for (int round = 0; round < rounds || Stopwatch.GetElapsedTime(start).TotalSeconds < (whole < WholeMin ? PatienceSeconds : LeastSeconds); round++)
            {
                bool before = CoreShare.IsWhole();
                Rest(fork);
                ours = Math.Min(ours, Fastest(() => Gemm.Multiply(a.View, transposeA, b.View, transposeB, c.View, fork: fork), calls, repeats / rounds));
                Rest(fork);
                peers = Math.Min(peers, Fastest(() => OpenBlas.Multiply(left, transposeA, right, transposeB, target, m, n, k), calls, repeats / rounds));
                whole += before && CoreShare.IsWhole() ? 1 : 0;
            }

            Trace.Assert(Math.Abs(double.CreateTruncating(c.Span[^1] - d.Span[^1])) < 1e-2, "Both products are of the same operands.");
            return (ours, peers, whole >= WholeMin);
        }
    }

    private static void Rest(IForkJoin? fork)
    {
        if (fork is not null)
        {
            Pause.UntilThreadsSleep();
        }
    }

    private static double Fastest(Action action, int calls, int repeats)
    {
        double fastest = double.PositiveInfinity;
        for (int repeat = 0; repeat < repeats; repeat++)
        {
            fastest = Math.Min(fastest, Seconds(action, calls));
        }

        return fastest;
    }

    private static double Seconds(Action action, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int call = 0; call < calls; call++)
        {
            action();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }

    private static void Fill<T>(Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating((((i * 7919L) % 1000) / 1000.0) - 0.5);
        }
    }

    /// <summary>Operands of one product somewhere in memory, and a result of each side.</summary>
    private sealed class Operands<T> : IDisposable
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Operands(int m, int k, int n, bool transposeA, bool transposeB)
        {
            (TransposeA, TransposeB) = (transposeA, transposeB);
            (A, B) = (new Tensor<T>(transposeA ? k : m, transposeA ? m : k), new Tensor<T>(transposeB ? n : k, transposeB ? k : n));
            (C, D) = (new Tensor<T>(m, n), new Tensor<T>(m, n));
            Fill(A.Span);
            Fill(B.Span);
        }

        public bool TransposeA { get; }

        public bool TransposeB { get; }

        public Tensor<T> A { get; }

        public Tensor<T> B { get; }

        public Tensor<T> C { get; }

        public Tensor<T> D { get; }

        public void Dispose()
        {
            A.Dispose();
            B.Dispose();
            C.Dispose();
            D.Dispose();
        }
    }

    private sealed class CrewAndCaller(ComputeCrew crew, int width) : IForkJoin
    {
        public int Width => width;

        public void Run(IChunkedWork work, int chunks) => crew.Run(work, chunks);
    }

    private sealed class NoJobs : IJobRunner
    {
        public void Run(Job job, ComputeScratch scratch, IForkJoin fork) => throw new InvalidOperationException("Products only.");

        public KeptParameters ReadParameters(long step) => KeptParameters.None;
    }
}
