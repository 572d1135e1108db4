using System.Numerics;
using System.Runtime.InteropServices;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// A sum of products aᵀ·b of consecutive rows, part after part: some rows of c at a time take all parts while they are in the cache, and no part passes over all of c. Reused by the
/// thread that forks.
/// </summary>
internal sealed unsafe class GemmParts<T> : IChunkedWork
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Rows of c that stay in a core's second-level cache beside the operands, and a multiple of every tile's height that is used most.
    private const int ChunkBytes = 256 << 10, ChunkRowsMin = 16, TileRows = 8;

    private const int Alignment = 64;

    [ThreadStatic]
    private static GemmParts<T>? t_spare;

    private GemmProblem<T> _problem;
    private VectorWidth _width;
    private int[] _parts = new int[16];
    private int _count, _chunkRows;
    private void* _spread;
    private nuint _spreadBytes;

    ~GemmParts() => NativeMemory.AlignedFree(_spread);

    /// <summary>c = [c +] the sum, with the bits of as many products that each add to c.</summary>
    /// <param name="problem">The product of all rows; aᵀ·b.</param>
    /// <param name="parts">How many of the rows each part has, in order; together all.</param>
    /// <param name="fork">Threads that share it where it is large enough.</param>
    /// <param name="width">The vectors.</param>
    public static void Run(in GemmProblem<T> problem, ReadOnlySpan<int> parts, IForkJoin? fork, VectorWidth width)
    {
        // A nested fork on this thread would find no spare and make its own.
        GemmParts<T> work = t_spare ?? new GemmParts<T>();
        t_spare = null;
        work._problem = problem;
        work.Spread();
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
    public void RunChunk(int chunk)
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

    /// <summary>
    /// Copies a right operand whose rows lie a multiple of a page apart, and so fall into the same few places of a first-level cache, to rows that do not. Every chunk would have to pack it
    /// otherwise.
    /// </summary>
    private void Spread()
    {
        int rowBytes = _problem.N * sizeof(T);
        if (rowBytes % GemmBlocks.PageBytes != 0 || _problem.StrideB != _problem.N)
        {
            return;
        }

        nuint stride = (nuint)(rowBytes + Alignment), bytes = stride * (nuint)_problem.K;
        if (bytes > _spreadBytes)
        {
            NativeMemory.AlignedFree(_spread);
            _spread = null;
            _spreadBytes = 0;
            _spread = NativeMemory.AlignedAlloc(bytes, Alignment);
            _spreadBytes = bytes;
        }

        for (int row = 0; row < _problem.K; row++)
        {
            Buffer.MemoryCopy(_problem.B + (row * _problem.StrideB), (byte*)_spread + ((nuint)row * stride), rowBytes, rowBytes);
        }

        _problem.B = (T*)_spread;
        _problem.StrideB = (nint)stride / sizeof(T);
    }
}
