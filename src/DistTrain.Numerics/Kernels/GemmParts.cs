using System.Numerics;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// A sum of products aᵀ·b of consecutive rows, part after part: some rows of c at a time take all parts while they are in the cache, and no part passes over all of c. Reused by the
/// thread that forks.
/// </summary>
internal sealed class GemmParts<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Rows of c that stay in a core's second-level cache beside the operands, and a multiple of every tile's height that is used most.
    private const int ChunkBytes = 128 << 10, ChunkRowsMin = 16, TileRows = 8;

    [ThreadStatic]
    private static GemmParts<T>? t_spare;

    private GemmProblem<T> _problem;
    private VectorWidth _width;
    private int[] _parts = new int[16];
    private int _count, _chunkRows;

    /// <summary>c = [c +] the sum, with the bits of as many products that each add to c.</summary>
    /// <param name="problem">The product of all rows; aᵀ·b.</param>
    /// <param name="parts">How many of the rows each part has, in order; together all.</param>
    /// <param name="fork">Threads that share it where it is large enough.</param>
    /// <param name="width">The vectors.</param>
    public static unsafe void Run(in GemmProblem<T> problem, ReadOnlySpan<int> parts, IForkJoin? fork, VectorWidth width)
    {
        // A nested fork on this thread would find no spare and make its own.
        GemmParts<T> work = t_spare ?? new GemmParts<T>();
        t_spare = null;
        work._problem = problem;
        work._width = width;
        if (work._parts.Length < parts.Length)
        {
            work._parts = new int[BitOperations.RoundUpToPowerOf2((uint)parts.Length)];
        }

        parts.CopyTo(work._parts);
        work._count = parts.Length;
        work._chunkRows = Math.Max(ChunkRowsMin, ChunkBytes / (problem.N * sizeof(T)) / TileRows * TileRows);
        int chunks = (problem.M + work._chunkRows - 1) / work._chunkRows;
        bool isForked = fork is { Width: > 1 } && (long)problem.M * problem.N * problem.K >= Gemm.ForkProduct;
        (isForked ? fork! : SerialForkJoin.Instance).Run(work, chunks);
        work._problem = default;
        t_spare = work;
    }

    /// <inheritdoc/>
    public unsafe void RunChunk(int chunk)
    {
        int first = chunk * _chunkRows;
        GemmProblem<T> part = _problem.Rows(first, Math.Min(_problem.M, first + _chunkRows));
        for (int i = 0; i < _count; i++)
        {
            // A part without rows adds nothing, not even a positive zero to a negative one.
            part.K = _parts[i];
            if (part.K > 0 || !part.Accumulate)
            {
                Gemm.Run(part, GemmPath.Best, _width);
            }

            part.A += part.K * part.StrideA;
            part.B += part.K * part.StrideB;
            part.Accumulate = true;
        }
    }
}
