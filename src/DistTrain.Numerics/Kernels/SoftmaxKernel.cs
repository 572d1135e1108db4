using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistTrain.Numerics.Kernels.Simd;
using DistTrain.Numerics.Tensors;

namespace DistTrain.Numerics.Kernels;

/// <summary>Softmax of rows. Narrow rows, such as those of a few classes, are computed beside each other; they give the bits that the general way gives.</summary>
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

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow<TVector, TSimd>(T* x, T* y, int rows, int columns)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        // As many rows beside each other as the widest vector has lanes, and no more columns than that.
        int lanes = LaneReduction<T>.Lanes;
        byte* memory = stackalloc byte[(2 * lanes * LineBytes) + LineBytes];
        T* turned = (T*)(((nint)memory + LineBytes - 1) & -LineBytes), sums = turned + (lanes * lanes);
        for (int first = 0; first < rows; first += lanes, x += lanes * columns, y += lanes * columns)
        {
            int count = Math.Min(lanes, rows - first);
            TurnedRows.Turn(x, count, columns, turned, lanes);
            for (int lane = 0; lane < lanes; lane += TSimd.Count)
            {
                Beside<TVector, TSimd>(turned + lane, sums + lane, columns, lanes);
            }

            TurnedRows.TurnBack(turned, count, columns, y, lanes);
        }
    }

    /// <summary>Softmax of as many rows as a vector has lanes, in place; their values are <paramref name="lanes"/> apart, as are those of the working memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Beside<TVector, TSimd>(T* values, T* sums, int columns, int lanes)
        where TVector : unmanaged
        where TSimd : ISimd<TVector, T>
    {
        TVector max = TSimd.Broadcast(T.NegativeInfinity);
        for (int column = 0; column < columns; column++)
        {
            max = MaxReduction.Accumulate<T, TVector, TSimd>(max, TSimd.Load(values + (column * lanes)));
        }

        for (int column = 0; column < columns; column++)
        {
            TVector exp = MathKernels.Exp<T, TVector, TSimd>(TSimd.Subtract(TSimd.Load(values + (column * lanes)), max));
            TSimd.Store(exp, values + (column * lanes));
            TSimd.Store(exp, sums + (column * lanes));
        }

        // The order of LaneReduction, in which a row that is wider than this adds up too: the upper half of the lanes to the lower half until one is left.
        for (int half = lanes / 2; half > 0; half /= 2)
        {
            for (int column = 0; column < half && column + half < columns; column++)
            {
                T* low = sums + (column * lanes);
                TSimd.Store(SumReduction.Join<T, TVector, TSimd>(TSimd.Load(low), TSimd.Load(low + (half * lanes))), low);
            }
        }

        TVector sum = TSimd.Load(sums);
        for (int column = 0; column < columns; column++)
        {
            TSimd.Store(TSimd.Divide(TSimd.Load(values + (column * lanes)), sum), values + (column * lanes));
        }
    }
}
