using System.Numerics;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <content>What depends on shapes and caches: what is packed, how wide blocks are, and which way tiles follow each other.</content>
internal static unsafe partial class GemmBlocks<T, TVector, TSimd, TShape>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : ISimd<TVector, T>
    where TShape : ITileShape
{
    /// <summary>
    /// Whether tiles read a right operand so often that packing it pays; sooner where its rows lie on pages of their own, and at once where another core may have it, for
    /// packing reads from one line to the next.
    /// </summary>
    private static bool IsReadOften(in GemmProblem<T> problem)
    {
        nint stride = problem.StrideB * sizeof(T);

        // What comes from memory comes faster row by row than as a strip of every row, unless a tile or two are all that is made of it.
        bool isUncached = stride >= GemmBlocks.PageBytes && problem.K * stride > GemmBlocks.CachedRightBytes && (!IsFar(problem) || problem.M > 2 * TShape.Rows);

        return problem.IsShared || isUncached || problem.M > TShape.Rows * ReadsBeforePacking(stride, problem.K * stride);
    }

    /// <summary>How often tiles read a right operand in place before packing it would have paid.</summary>
    /// <param name="stride">Bytes from one of its rows to the next.</param>
    /// <param name="bytes">Of all its rows.</param>
    private static int ReadsBeforePacking(nint stride, nint bytes)
    {
        bool isPaged = stride >= GemmBlocks.PageBytes, isWholePages = stride % GemmBlocks.PageBytes == 0;
        if (IsWide && Processor.HalvesWideVectors)
        {
            return isPaged ? 12 : 32;
        }

        // Rows a multiple of a page apart fall into the same few places of a small first-level cache, and one pass of tiles drives out what the next wants.
        if (IsWide)
        {
            // Two products and one read a cycle leave no time to look up where every row's page is.
            return isPaged && isWholePages ? 6 : isPaged || bytes > GemmBlocks.RememberedPages * GemmBlocks.PageBytes ? 12 : 32;
        }

        return !isPaged || !isWholePages ? 32 : stride >= 2 * GemmBlocks.PageBytes ? 1 : 4;
    }

    /// <summary>Whether the rows of a right operand that is read in place should be asked for ahead. With vectors of 256 bits, one of which is a cache line of two, that gave nothing.</summary>
    private static bool IsFar(in GemmProblem<T> problem) => IsWide && problem.StrideB * sizeof(T) >= GemmBlocks.PageBytes && problem.K >= 2 * RightOnManyPages.RightAhead;

    /// <summary>
    /// Columns of c in a block. A left operand that is read in place costs nothing to come to again, so the packed right one may be as narrow as the second-level cache asks for; one that is packed is packed again
    /// for every block of columns. Processors that compute a vector of 512 bits by halves keep the blocks that were measured on them.
    /// </summary>
    private static int BlockColumns(in GemmProblem<T> problem, bool packA, bool packB)
    {
        if ((IsWide && Processor.HalvesWideVectors) || packA || !packB)
        {
            return GemmBlocks.BlockN;
        }

        long depth = Math.Min(problem.K, GemmReference.BlockK), leftBytes = problem.M * depth * sizeof(T);
        int columns = leftBytes <= GemmBlocks.CachedLeftBytes ? GemmBlocks.NarrowN : GemmBlocks.MiddleN;
        long fitting = (IsWide ? GemmBlocks.NarrowWideBytes : GemmBlocks.NarrowBytes) / (depth * sizeof(T)) / GemmBlocks.NarrowN * GemmBlocks.NarrowN;
        return (int)Math.Clamp(fitting, columns, GemmBlocks.BlockN);
    }

    /// <summary>
    /// Whether all columns of a block of k come before the next k. Where the right operand's rows lie on pages of their own a processor remembers where those of one block are, and not those
    /// of all: with vectors of 256 bits, and so narrow blocks, looking them up again for each took longer than the product.
    /// </summary>
    private static bool SweepsAcross(in GemmProblem<T> problem) => !IsWide && !problem.TransposeB && problem.StrideB * sizeof(T) >= GemmBlocks.PageBytes;

    /// <summary>
    /// Whether tiles follow each other along rows of c and not down its columns, where computing one takes no longer than writing it: the processor foresees what is written along, which matters
    /// for rows on pages of their own, and for more of them than the second-level cache holds.
    /// </summary>
    private static bool GoesAlong(in GemmProblem<T> problem)
    {
        nint stride = problem.StrideC * sizeof(T);
        return IsWide && problem.K <= GemmBlocks.ShallowK && !problem.TurnC && problem.Sink is null
            && (stride >= 2 * GemmBlocks.PageBytes || problem.M * stride > GemmBlocks.CachedProductBytes);
    }
}
