using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <content>Reductions, each in one fixed order.</content>
public static unsafe partial class Elementwise
{
    private const int LineBytes = 64;

    /// <summary>
    /// Σ x in a fixed order: with L = 16 lanes in float and 8 in double, lane j adds x[j], x[j+L], x[j+2L] … in order, from 0;
    /// then the upper half of the lanes is added to the lower half until one is left.
    /// </summary>
    public static T Sum<T>(ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Sum(x, VectorWidth.Best);

    /// <summary>
    /// Σ x² in double: every element is widened first; lane j of 8 adds x[j]², x[j+8]² … in order with one rounding each; then
    /// the upper half of the lanes is added to the lower half until one is left.
    /// </summary>
    public static double SumOfSquares<T>(ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => SumOfSquares(x, VectorWidth.Best);

    /// <summary>
    /// sums[j] = Σ over rows of m[row, j], added in row order from 0, and the whole of it to sums[j] when
    /// <paramref name="accumulate"/>, as a gradient that was computed apart. m: rows × columns, sums: columns.
    /// </summary>
    public static void ColumnSums<T>(TensorView<T> m, Span<T> sums, bool accumulate = false)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => ColumnSums(m, sums, accumulate, VectorWidth.Best);

    /// <summary>True when no element is infinite or NaN.</summary>
    public static bool AllFinite<T>(ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        AllFinite(x, VectorWidth.Best);

    internal static T Sum<T>(ReadOnlySpan<T> x, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Reduce<T, SumReduction>(x, T.Zero, width);

    /// <summary>The largest element that is not NaN; −∞ if there is none.</summary>
    internal static T Max<T>(ReadOnlySpan<T> x, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Reduce<T, MaxReduction>(x, T.NegativeInfinity, width);

    // 0·x is 0 for a finite x and NaN for every other, and a NaN stays in a sum.
    internal static bool AllFinite<T>(ReadOnlySpan<T> x, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Reduce<T, ZeroProductReduction>(x, T.Zero, width) == T.Zero;

    internal static double SumOfSquares<T>(ReadOnlySpan<T> x, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        VectorWidths.RequireFloatOrDouble<T>();
        const int block = 256;
        double* lanes = stackalloc double[LaneReduction<double>.Lanes];
        new Span<double>(lanes, LaneReduction<double>.Lanes).Clear();
        double* wide = stackalloc double[block];
        fixed (T* first = x)
        {
            if (typeof(T) == typeof(double))
            {
                return LaneReduction<double>.Run<SquareReduction>((double*)first, x.Length, lanes, width);
            }

            // A block is a whole number of rounds over the lanes, so the next one goes on at lane 0.
            for (int i = 0; i < x.Length; i += block)
            {
                int count = Math.Min(block, x.Length - i);
                Widen((float*)first + i, count, wide);
                LaneReduction<double>.Accumulate<SquareReduction>(wide, count, lanes, width);
            }
        }

        return LaneReduction<double>.Total<SquareReduction>(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Reduce<T, TReduction>(ReadOnlySpan<T> x, T start, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TReduction : struct, IReduction
    {
        VectorWidths.RequireFloatOrDouble<T>();

        // On a cache line of their own the lanes are read back at once; across two they would not be.
        byte* memory = stackalloc byte[2 * LineBytes];
        T* lanes = (T*)(((nint)memory + LineBytes - 1) & -LineBytes);
        new Span<T>(lanes, LaneReduction<T>.Lanes).Fill(start);
        fixed (T* first = x)
        {
            return LaneReduction<T>.Run<TReduction>(first, x.Length, lanes, width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(float* x, int count, double* wide)
    {
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(Vector256.Load(x + i));
            lower.Store(wide + i);
            upper.Store(wide + i + Vector256<double>.Count);
        }

        for (; i < count; i++)
        {
            wide[i] = x[i];
        }
    }

    internal static void ColumnSums<T>(TensorView<T> m, Span<T> sums, bool accumulate, VectorWidth width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        VectorWidths.RequireFloatOrDouble<T>();
        if (sums.Length != m.Columns)
        {
            throw new ArgumentException($"A matrix of {m.Columns} columns has no {sums.Length} column sums.", nameof(sums));
        }

        fixed (T* source = m.Span, target = sums)
        {
            switch (VectorWidths.Resolve(width))
            {
                case VectorWidth.Bits512:
                    AddRows<T, Vector512<T>, Simd512<T>>(source, m.Rows, m.Columns, target, accumulate);
                    break;
                case VectorWidth.Bits256:
                    AddRows<T, Vector256<T>, Simd256<T>>(source, m.Rows, m.Columns, target, accumulate);
                    break;
                case VectorWidth.Bits128:
                    AddRows<T, Vector128<T>, Simd128<T>>(source, m.Rows, m.Columns, target, accumulate);
                    break;
                default:
                    AddRows<T, T, SimdScalar<T>>(source, m.Rows, m.Columns, target, accumulate);
                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddRows<T, TVector, TSimd>(T* source, int rows, int columns, T* sums, bool accumulate)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector zero = TSimd.Broadcast(T.Zero);
        int j = 0;
        for (; j <= columns - (2 * TSimd.Count); j += 2 * TSimd.Count)
        {
            TVector left = zero, right = zero;
            T* element = source + j;
            for (int row = 0; row < rows; row++, element += columns)
            {
                left = TSimd.Add(left, TSimd.Load(element));
                right = TSimd.Add(right, TSimd.Load(element + TSimd.Count));
            }

            TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(sums + j), left) : left, sums + j);
            TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(sums + j + TSimd.Count), right) : right, sums + j + TSimd.Count);
        }

        for (; j <= columns - TSimd.Count; j += TSimd.Count)
        {
            TVector sum = zero;
            T* element = source + j;
            for (int row = 0; row < rows; row++, element += columns)
            {
                sum = TSimd.Add(sum, TSimd.Load(element));
            }

            TSimd.Store(accumulate ? TSimd.Add(TSimd.Load(sums + j), sum) : sum, sums + j);
        }

        for (; j < columns; j++)
        {
            T sum = T.Zero;
            T* element = source + j;
            for (int row = 0; row < rows; row++, element += columns)
            {
                sum += *element;
            }

            sums[j] = accumulate ? sums[j] + sum : sum;
        }
    }
}
