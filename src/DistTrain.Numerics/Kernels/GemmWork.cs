using System.Numerics;

namespace DistTrain.Numerics.Kernels;

/// <summary>A product split over threads, by columns or by rows of c and never by k. Reused by the thread that forks.</summary>
internal sealed class GemmWork<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Chunks begin at multiples of this many rows or columns, so that only the last one has ragged tiles.</summary>
    private const int Grain = 32;

    [ThreadStatic]
    private static GemmWork<T>? t_spare;

    private GemmProblem<T> _problem;
    private GemmPath _path;
    private VectorWidth _width;
    private int _chunks, _grain;
    private bool _byColumns;

    /// <summary>Runs the product with whatever threads <paramref name="fork"/> offers.</summary>
    public static void Run(in GemmProblem<T> problem, IForkJoin fork, GemmPath path, VectorWidth width)
    {
        // A nested fork on this thread would find no spare and make its own.
        GemmWork<T> work = t_spare ?? new GemmWork<T>();
        t_spare = null;
        work._problem = problem;
        work._path = path;
        work._width = width;

        // Each chunk packs the other operand for itself, so the longer side is split; small products get one chunk a thread.
        work._byColumns = problem.N >= problem.M;
        work._grain = Math.Max(problem.M, problem.N) >= 2 * Grain * fork.Width ? Grain : 8;
        int grains = (Math.Max(problem.M, problem.N) + work._grain - 1) / work._grain;
        bool large = 2.0 * problem.M * problem.N * problem.K >= 4e6 * fork.Width;

        // A triangle's chunks are unequal, so there are more of them to claim.
        int perThread = (large ? 2 : 1) * (problem.Diagonal == GemmProblem<T>.WholeProduct ? 1 : 2);
        work._chunks = Math.Min(grains, perThread * fork.Width);
        fork.Run(work, work._chunks);
        t_spare = work;
    }

    /// <inheritdoc/>
    public void RunChunk(int chunk)
    {
        int length = _byColumns ? _problem.N : _problem.M;
        int grains = (length + _grain - 1) / _grain;
        int first = (int)((long)grains * chunk / _chunks) * _grain;
        int end = Math.Min(length, (int)((long)grains * (chunk + 1) / _chunks) * _grain);
        Gemm.Run(_byColumns ? _problem.Columns(first, end) : _problem.Rows(first, end), _path, _width);
    }
}
