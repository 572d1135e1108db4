using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using DistTrain.Numerics.Kernels.Simd;

namespace DistTrain.Numerics.Kernels;

/// <summary>One tile of c: the innermost loop of the product, with every accumulator in a register.</summary>
internal static unsafe class GemmTile<T, TVector, TSimd, TShape, TOperands>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TVector : unmanaged
    where TSimd : ISimd<TVector, T>
    where TShape : ITileShape
    where TOperands : ITileOperands
{
    // A shorter loop is over before what was asked for has come.
    private const int PrefetchDepthMin = 32;

    private static bool Two => TShape.Vectors == 2;

    /// <summary>
    /// c[i, j] = Σ over <paramref name="depth"/> of left · right, added to c when <paramref name="add"/>, then to the bias.
    /// A packed left operand is a panel, <paramref name="strideA"/> from one k to the next; one in place is read from rows so far apart, of which the first
    /// <paramref name="rows"/> exist. Writes the whole tile.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* a, nint strideA, int rows, T* b, nint strideB, int depth, T* c, nint strideC, bool add, T* bias)
    {
        if (depth >= PrefetchDepthMin)
        {
            PrefetchRows(c, strideC);
        }

        // Each of these serves up to three rows, if all of them exist.
        nint s1 = strideA, s2 = 2 * strideA;
        T* q0 = a, q3 = a + (3 * strideA), q6 = a + (6 * strideA), q9 = a + (9 * strideA);
        T* a0 = a, a1 = Row(a, strideA, 1, rows), a2 = Row(a, strideA, 2, rows), a3 = Row(a, strideA, 3, rows);
        T* a4 = Row(a, strideA, 4, rows), a5 = Row(a, strideA, 5, rows), a6 = Row(a, strideA, 6, rows), a7 = Row(a, strideA, 7, rows);
        T* a8 = Row(a, strideA, 8, rows), a9 = Row(a, strideA, 9, rows);
        TVector zero = TSimd.Broadcast(T.Zero);
        TVector c00 = zero, c10 = zero, c20 = zero, c30 = zero, c40 = zero, c50 = zero, c60 = zero, c70 = zero, c80 = zero, c90 = zero;
        TVector c01 = zero, c11 = zero, c21 = zero, c31 = zero, c41 = zero, c51 = zero, c61 = zero, c71 = zero, c81 = zero, c91 = zero;
        nint ahead = TOperands.RightAhead * strideB;
        for (nint p = 0; p < depth; p++)
        {
            if (TOperands.RightAhead > 0 && Sse.IsSupported)
            {
                Sse.Prefetch0(b + ahead);
                Sse.Prefetch0(b + ahead + TSimd.Count);
            }

            TVector b0 = TSimd.Load(b), b1 = Two ? TSimd.Load(b + TSimd.Count) : zero;
            b += strideB;
            MultiplyAdd(TOperands.LeftPacked ? a : TOperands.AllRows ? q0 : a0 + p, b0, b1, ref c00, ref c01);
            if (TShape.Rows > 1)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 1 : TOperands.AllRows ? q0 + s1 : a1 + p, b0, b1, ref c10, ref c11);
            }

            if (TShape.Rows > 2)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 2 : TOperands.AllRows ? q0 + s2 : a2 + p, b0, b1, ref c20, ref c21);
            }

            if (TShape.Rows > 3)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 3 : TOperands.AllRows ? q3 : a3 + p, b0, b1, ref c30, ref c31);
            }

            if (TShape.Rows > 4)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 4 : TOperands.AllRows ? q3 + s1 : a4 + p, b0, b1, ref c40, ref c41);
            }

            if (TShape.Rows > 5)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 5 : TOperands.AllRows ? q3 + s2 : a5 + p, b0, b1, ref c50, ref c51);
            }

            if (TShape.Rows > 6)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 6 : TOperands.AllRows ? q6 : a6 + p, b0, b1, ref c60, ref c61);
            }

            if (TShape.Rows > 7)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 7 : TOperands.AllRows ? q6 + s1 : a7 + p, b0, b1, ref c70, ref c71);
            }

            if (TShape.Rows > 8)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 8 : TOperands.AllRows ? q6 + s2 : a8 + p, b0, b1, ref c80, ref c81);
            }

            if (TShape.Rows > 9)
            {
                MultiplyAdd(TOperands.LeftPacked ? a + 9 : TOperands.AllRows ? q9 : a9 + p, b0, b1, ref c90, ref c91);
            }

            a += TOperands.LeftPacked ? strideA : 0;
            if (TOperands.AllRows)
            {
                q0++;
                q3++;
                q6++;
                q9++;
            }
        }

        if (!add && bias == null)
        {
            // Most tiles are like this, and looking at every row took a tenth of a shallow one.
            Put(c, c00, c01);
            if (TShape.Rows > 1)
            {
                Put(c + strideC, c10, c11);
            }

            if (TShape.Rows > 2)
            {
                Put(c + (2 * strideC), c20, c21);
            }

            if (TShape.Rows > 3)
            {
                Put(c + (3 * strideC), c30, c31);
            }

            if (TShape.Rows > 4)
            {
                Put(c + (4 * strideC), c40, c41);
            }

            if (TShape.Rows > 5)
            {
                Put(c + (5 * strideC), c50, c51);
            }

            if (TShape.Rows > 6)
            {
                Put(c + (6 * strideC), c60, c61);
            }

            if (TShape.Rows > 7)
            {
                Put(c + (7 * strideC), c70, c71);
            }

            if (TShape.Rows > 8)
            {
                Put(c + (8 * strideC), c80, c81);
            }

            if (TShape.Rows > 9)
            {
                Put(c + (9 * strideC), c90, c91);
            }

            return;
        }

        Finish(c, c00, c01, add, bias);
        if (TShape.Rows > 1)
        {
            Finish(c + strideC, c10, c11, add, bias);
        }

        if (TShape.Rows > 2)
        {
            Finish(c + (2 * strideC), c20, c21, add, bias);
        }

        if (TShape.Rows > 3)
        {
            Finish(c + (3 * strideC), c30, c31, add, bias);
        }

        if (TShape.Rows > 4)
        {
            Finish(c + (4 * strideC), c40, c41, add, bias);
        }

        if (TShape.Rows > 5)
        {
            Finish(c + (5 * strideC), c50, c51, add, bias);
        }

        if (TShape.Rows > 6)
        {
            Finish(c + (6 * strideC), c60, c61, add, bias);
        }

        if (TShape.Rows > 7)
        {
            Finish(c + (7 * strideC), c70, c71, add, bias);
        }

        if (TShape.Rows > 8)
        {
            Finish(c + (8 * strideC), c80, c81, add, bias);
        }

        if (TShape.Rows > 9)
        {
            Finish(c + (9 * strideC), c90, c91, add, bias);
        }
    }

    /// <summary>Puts the first rows and columns of a finished tile into c, as <see cref="Run"/> does with a whole one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Merge(T* tile, nint strideTile, int rows, int columns, T* c, nint strideC, bool add, T* bias)
    {
        for (int i = 0; i < rows; i++, tile += strideTile, c += strideC)
        {
            int j = 0;
            for (; j <= columns - Vector128<T>.Count; j += Vector128<T>.Count)
            {
                Vector128<T> sum = Vector128.Load(tile + j);
                sum = add ? Vector128.Load(c + j) + sum : sum;
                sum = bias == null ? sum : sum + Vector128.Load(bias + j);
                sum.Store(c + j);
            }

            for (; j < columns; j++)
            {
                T sum = add ? c[j] + tile[j] : tile[j];
                c[j] = bias == null ? sum : sum + bias[j];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* Row(T* a, nint stride, int row, int rows) => TOperands.LeftPacked || TOperands.AllRows || row >= TShape.Rows ? a : a + (Math.Min(row, rows - 1) * stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(T* a, TVector b0, TVector b1, ref TVector c0, ref TVector c1)
    {
        TVector value = TSimd.Broadcast(*a);
        c0 = TSimd.Fma(value, b0, c0);
        if (Two)
        {
            c1 = TSimd.Fma(value, b1, c1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(T* c, TVector c0, TVector c1, bool add, T* bias)
    {
        if (add)
        {
            c0 = TSimd.Add(TSimd.Load(c), c0);
            c1 = Two ? TSimd.Add(TSimd.Load(c + TSimd.Count), c1) : c1;
        }

        if (bias != null)
        {
            c0 = TSimd.Add(c0, TSimd.Load(bias));
            c1 = Two ? TSimd.Add(c1, TSimd.Load(bias + TSimd.Count)) : c1;
        }

        Put(c, c0, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(T* c, TVector c0, TVector c1)
    {
        TSimd.Store(c0, c);
        if (Two)
        {
            TSimd.Store(c1, c + TSimd.Count);
        }
    }

    // The tile is wanted in cache when the loop over k ends, not before.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchRows(T* c, nint stride)
    {
        if (Sse.IsSupported)
        {
            for (int i = 0; i < TShape.Rows; i++)
            {
                Sse.Prefetch0(c + (i * stride));
                if (Two && TSimd.Count * sizeof(T) == 64)
                {
                    Sse.Prefetch0(c + (i * stride) + TSimd.Count);
                }
            }
        }
    }
}
