using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>General matrix product in float and double.</summary>
/// <remarks>
/// Every element of c adds its products in the order of k, by fused multiply-add from 0, within blocks of 512; the blocks are
/// added in order, to c when accumulating; the bias is added last. Shape, vector width and threads never change a bit.
/// </remarks>
public static class Gemm
{
    /// <summary>
    /// The multiplications from which on several threads share a product. A second thread breaks even at 0.1 million where cores share a cache; where they do not,
    /// 0.33 million took two threads 1.7 times as long as one.
    /// </summary>
    public const long ForkProduct = 400_000;

    /// <summary>Up to so many multiplications plain loops are faster than setting up tiles.</summary>
    internal const int TinyProduct = 192;

    // Fewer rows leave too many lanes empty.
    private const int TurnedRowsMin = 12;

    /// <summary>
    /// c = op(a)·op(b), or c + op(a)·op(b); op transposes where asked. c: m×n, op(a): m×k, op(b): k×n. When
    /// <paramref name="rowBias"/> (1×n) is there it is added to every row of the finished product. c must not overlap an
    /// operand. Threads of <paramref name="fork"/> are used when the product is large enough. Throws
    /// <see cref="ArgumentException"/> where shapes do not agree.
    /// </summary>
    public static void Multiply<T>(
        TensorView<T> a, bool transposeA, TensorView<T> b, bool transposeB, TensorView<T> c,
        bool accumulate = false, TensorView<T> rowBias = default, IForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        GemmProblem<T>.Create(a, transposeA, b, transposeB, c, accumulate, rowBias, out GemmProblem<T> problem);
        Multiply(problem, fork, GemmPath.Best, VectorWidth.Best);
    }

    /// <summary>
    /// The lower triangle of a·aᵀ, the diagonal included: c[i, j] for j ≤ i, with the bits of <see cref="Multiply{T}(TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, IForkJoin?)"/>.
    /// What stands right of the diagonal is undefined. a: m×k, c: m×m.
    /// </summary>
    public static void MultiplyLower<T>(TensorView<T> a, TensorView<T> c, IForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        GemmProblem<T>.Create(a, false, a, true, c, accumulate: false, default, out GemmProblem<T> problem);
        problem.Diagonal = 0;
        Multiply(problem, fork, GemmPath.Best, VectorWidth.Best);
    }

    /// <summary>
    /// c = aᵀ·b, or c + aᵀ·b, as a sum over consecutive rows of a and b, with the bits of a <see cref="Multiply{T}(TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, IForkJoin?)"/>
    /// for each part that adds to c after the one before: the gradient of several micro-batches, whose c passes through the caches once. a: k×m, b: k×n, c: m×n. Threads of
    /// <paramref name="fork"/> are used when the sum is large enough. Throws <see cref="ArgumentException"/> where shapes do not agree.
    /// </summary>
    /// <param name="a">The left operand.</param>
    /// <param name="b">The right one.</param>
    /// <param name="c">The result.</param>
    /// <param name="parts">Rows of each part, 0 and more; together k. At least one part.</param>
    /// <param name="accumulate">Whether the first part adds to c too.</param>
    /// <param name="fork">Threads.</param>
    public static void MultiplyParts<T>(TensorView<T> a, TensorView<T> b, TensorView<T> c, ReadOnlySpan<int> parts, bool accumulate = false, IForkJoin? fork = null)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        GemmProblem<T>.Create(a, true, b, false, c, accumulate, default, out GemmProblem<T> problem);
        MultiplyParts(problem, parts, fork, VectorWidth.Best);
    }

    /// <summary>
    /// op(a)·op(b) into a sink, with the bits of <see cref="Multiply{T}(TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, bool, TensorView{T}, IForkJoin?)"/>; false, and nothing done, where the
    /// product is too small or too deep for that.
    /// </summary>
    internal static bool TryMultiplyInto<T>(
        TensorView<T> a, bool transposeA, TensorView<T> b, bool transposeB, IProductSink<T> sink, IForkJoin? fork, GemmPath path, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        VectorWidths.RequireFloatOrDouble<T>();
        GemmProblem<T>.Create(a, transposeA, b, transposeB, out GemmProblem<T> problem);
        problem.Sink = sink;
        VectorWidth resolved = VectorWidths.Resolve(width);
        long products = (long)problem.M * problem.N * problem.K;
        if (products <= TinyProduct || problem.K > GemmReference.BlockK || resolved == VectorWidth.Scalar)
        {
            return false;
        }

        if (fork is { Width: > 1 } && products >= ForkProduct)
        {
            GemmWork<T>.Run(problem, fork, path, resolved);
        }
        else
        {
            RunBlocks(problem, path, resolved);
        }

        return true;
    }

    internal static void Multiply<T>(in GemmProblem<T> problem, IForkJoin? fork, GemmPath path, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        VectorWidths.RequireFloatOrDouble<T>();
        if (problem.M == 0 || problem.N == 0)
        {
            return;
        }

        if (fork is { Width: > 1 } && (long)problem.M * problem.N * problem.K >= ForkProduct)
        {
            GemmWork<T>.Run(problem, fork, path, width);
        }
        else
        {
            Run(problem, path, width);
        }
    }

    internal static void MultiplyParts<T>(in GemmProblem<T> problem, ReadOnlySpan<int> parts, IForkJoin? fork, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        VectorWidths.RequireFloatOrDouble<T>();
        int rows = 0;
        foreach (int part in parts)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(part, nameof(parts));
            rows = checked(rows + part);
        }

        if (rows != problem.K || parts.IsEmpty)
        {
            throw new ArgumentException($"{parts.Length} parts have {rows} rows together; expected {problem.K} in at least one.", nameof(parts));
        }

        if (problem.M > 0 && problem.N > 0)
        {
            GemmParts<T>.Run(problem, parts, fork, width);
        }
    }

    /// <summary>The product on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run<T>(in GemmProblem<T> problem, GemmPath path, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (problem.Sink is not null)
        {
            RunBlocks(problem, path, VectorWidths.Resolve(width));
            return;
        }

        bool tiny = path == GemmPath.Best && (long)problem.M * problem.N * problem.K <= TinyProduct;
        VectorWidth resolved = VectorWidths.Resolve(width);
        if (tiny || path == GemmPath.Reference || problem.K == 0 || resolved == VectorWidth.Scalar)
        {
            GemmReference.Run(problem);
        }
        else if (path == GemmPath.Best && resolved == VectorWidth.Bits512 && GemmNarrow<T>.Serves(problem))
        {
            GemmNarrow<T>.Run(problem, Processor.HalvesWideVectors);
        }
        else if (path == GemmPath.Best && resolved == VectorWidth.Bits512 && Turns(problem))
        {
            problem.Turn(out GemmProblem<T> turned);
            RunBlocks(turned, path, resolved);
        }
        else
        {
            RunBlocks(problem, path, resolved);
        }
    }

    // A transposed right operand is packed. Where the left one is smaller that costs less the other way round, if its rows fill vectors
    // and finished tiles are transposed in registers.
    private static bool Turns<T>(in GemmProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        problem.TransposeB && !problem.TransposeA && problem.M >= TurnedRowsMin && problem.M < problem.N
        && problem.Diagonal == GemmProblem<T>.WholeProduct;

    private static void RunBlocks<T>(in GemmProblem<T> problem, GemmPath path, VectorWidth resolved)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (resolved == VectorWidth.Bits512 && problem.N <= Vector512<T>.Count)
        {
            GemmBlocks<T, Vector512<T>, Simd512<T>, Tile8By1>.Run(problem, path);
        }
        else if (resolved == VectorWidth.Bits512)
        {
            RunBy2(problem, path);
        }
        else if (resolved == VectorWidth.Bits256)
        {
            GemmBlocks<T, Vector256<T>, Simd256<T>, Tile6By2>.Run(problem, path);
        }
        else
        {
            GemmBlocks<T, Vector128<T>, Simd128<T>, Tile6By2>.Run(problem, path);
        }
    }

    /// <summary>The product by tiles of two 512-bit vectors whose height leaves the fewest rows of the last tile empty.</summary>
    private static void RunBy2<T>(in GemmProblem<T> problem, GemmPath path)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (problem.M)
        {
            case <= 4:
                GemmBlocks<T, Vector512<T>, Simd512<T>, Tile4By2>.Run(problem, path);
                break;
            case 10 when !problem.TurnC:
                GemmBlocks<T, Vector512<T>, Simd512<T>, Tile10By2>.Run(problem, path);
                break;
            case 5 or 9 or 10:
                GemmBlocks<T, Vector512<T>, Simd512<T>, Tile5By2>.Run(problem, path);
                break;
            case 6 or 11 or 12 or 17 or 18:
                GemmBlocks<T, Vector512<T>, Simd512<T>, Tile6By2>.Run(problem, path);
                break;
            default:
                GemmBlocks<T, Vector512<T>, Simd512<T>, Tile8By2>.Run(problem, path);
                break;
        }
    }
}
