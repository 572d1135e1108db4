using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>Softmax of rows. Narrow rows, such as those of a few classes, fill one set of lanes each; they give the bits that the general way
/// gives, without its calls.</summary>
internal static unsafe class SoftmaxKernel<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int LineBytes = 64;

    /// <summary>y[i] = softmax(x[i]) for every row i; y may lie exactly over x.</summary>
    public static void Rows(TensorView<T> x, TensorView<T> y, VectorWidth width)
    {
        VectorWidths.RequireFloatOrDouble<T>();
        if (x.Rows != y.Rows || x.Columns != y.Columns)
        {
            throw new ArgumentException($"A softmax of {x.Rows} × {x.Columns} values has no place in {y.Rows} × {y.Columns}.", nameof(y));
        }

        if (x.Columns > LaneReduction<T>.Lanes)
        {
            for (int row = 0; row < x.Rows; row++)
            {
                Row(x.Row(row), y.Row(row), width);
            }

            return;
        }

        fixed (T* source = x.Span, target = y.Span)
        {
            switch (VectorWidths.Resolve(width))
            {
                case VectorWidth.Bits512:
                    Narrow<Vector512<T>, Simd512<T>>(source, target, x.Rows, x.Columns);
                    break;
                case VectorWidth.Bits256:
                    Narrow<Vector256<T>, Simd256<T>>(source, target, x.Rows, x.Columns);
                    break;
                case VectorWidth.Bits128:
                    Narrow<Vector128<T>, Simd128<T>>(source, target, x.Rows, x.Columns);
                    break;
                default:
                    Narrow<T, SimdScalar<T>>(source, target, x.Rows, x.Columns);
                    break;
            }
        }
    }

    /// <summary>y = softmax(x) of one row of any width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(ReadOnlySpan<T> x, Span<T> y, VectorWidth width)
    {
        if (x.IsEmpty)
        {
            return;
        }

        // A maximum is the same in any order, and exp(x − max) is the same for a maximum of 0 and −0. Max leaves out a NaN,
        // which then makes the sum and with it the whole row NaN.
        T max = Elementwise.Max(x, width);
        ElementwiseLoop.Run<ShiftedExpOperation, T>(x, default, max, y, width);
        y = y[..x.Length];
        ElementwiseLoop.Run<DividedByOperation, T>(y, default, Elementwise.Sum<T>(y, width), y, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow<TVector, TSimd>(T* x, T* y, int rows, int columns)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        int lanes = LaneReduction<T>.Lanes;
        // A store across two cache lines could not be read back at once, so each set of lanes is a line of its own.
        byte* memory = stackalloc byte[4 * LineBytes];
        T* scores = (T*)(((nint)memory + LineBytes - 1) & -LineBytes), results = scores + lanes, position = results + lanes;
        for (int lane = 0; lane < lanes; lane++)
        {
            position[lane] = T.CreateTruncating(lane);
        }

        // A whole set of lanes is read and written where the matrix goes on for so long: what lies over the row's end is masked, and
        // the next row writes its own place after that. Over its own input a row must not write further than it has been read.
        TVector width = TSimd.Broadcast(T.CreateTruncating(columns)), nothing = TSimd.Broadcast(T.NegativeInfinity), zero = TSimd.Broadcast(T.Zero);
        uint bytes = (uint)(columns * sizeof(T));
        T* end = x + ((long)rows * columns);
        bool inPlace = x == y;
        for (int row = 0; row < rows; row++, x += columns, y += columns)
        {
            bool whole = end - x >= lanes;
            T* source = whole ? x : scores;
            if (!whole)
            {
                Unsafe.CopyBlockUnaligned(scores, x, bytes);
            }

            // A lane without a column is −∞ to the maximum, an exponent of 0 to the exponential, which is slow far below it, and 0 to the sum.
            for (int lane = 0; lane < lanes; lane += TSimd.Count)
            {
                TVector score = TSimd.SelectLess(TSimd.Load(position + lane), width, TSimd.Load(source + lane), nothing);
                TSimd.Store(score, scores + lane);
            }

            TVector max = TSimd.Broadcast(LaneReduction<T>.Total<MaxReduction>(scores));
            for (int lane = 0; lane < lanes; lane += TSimd.Count)
            {
                TVector index = TSimd.Load(position + lane);
                TVector exponent = TSimd.SelectLess(index, width, TSimd.Subtract(TSimd.Load(scores + lane), max), zero);
                TSimd.Store(TSimd.SelectLess(index, width, MathKernels.Exp<T, TVector, TSimd>(exponent), zero), results + lane);
            }

            TVector sum = TSimd.Broadcast(LaneReduction<T>.Total<SumReduction>(results));
            T* target = whole && !inPlace ? y : results;
            for (int lane = 0; lane < lanes; lane += TSimd.Count)
            {
                TSimd.Store(TSimd.Divide(TSimd.Load(results + lane), sum), target + lane);
            }

            if (target == results)
            {
                Unsafe.CopyBlockUnaligned(y, results, bytes);
            }
        }
    }
}
