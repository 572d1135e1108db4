using System.Numerics;

namespace DistTrain.Numerics.Kernels;

/// <summary>A product split over threads, by columns or by rows of c and never by k. Reused by the thread that forks.</summary>
internal sealed class GemmWork<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [ThreadStatic]
    private static GemmWork<T>? t_spare;

    private GemmProblem<T> _problem;
    private GemmPath _path;
    private VectorWidth _width;
    private ChunkSplit _split;
    private bool _byColumns;

    /// <summary>Runs the product with whatever threads <paramref name="fork"/> offers.</summary>
    public static void Run(in GemmProblem<T> problem, IForkJoin fork, GemmPath path, VectorWidth width)
    {
        // A nested fork on this thread would find no spare and make its own.
        GemmWork<T> work = t_spare ?? new GemmWork<T>();
        t_spare = null;
        work._problem = problem with { IsShared = problem.Sink is not null };
        work._path = path;
        work._width = width;

        // Each chunk packs the other operand for itself, so the longer side is split; small products get one chunk a thread. A sink takes whole rows.
        work._byColumns = problem.Sink is null && problem.N >= problem.M;
        bool large = 2.0 * problem.M * problem.N * problem.K >= 16e6 * fork.Width;

        // A triangle's chunks are unequal, so there are more of them to claim.
        int perThread = (large ? 2 : 1) * (problem.Diagonal == GemmProblem<T>.WholeProduct ? 1 : 2);
        work._split = new ChunkSplit(work._byColumns ? problem.N : problem.M, fork.Width, perThread);
        fork.Run(work, work._split.Count);
        work._problem = default;
        t_spare = work;
    }

    /// <inheritdoc/>
    public void RunChunk(int chunk)
    {
        (int first, int end) = _split[chunk];
        Gemm.Run(_byColumns ? _problem.Columns(first, end) : _problem.Rows(first, end), _path, _width);
    }
}
