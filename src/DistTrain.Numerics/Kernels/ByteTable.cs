using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>Bytes replaced by their values in a table, as the pixels of an image are by what a network reads.</summary>
/// <remarks>
/// In 512-bit vectors the table of floats stands in sixteen registers, and a value is chosen from them by the bits of its byte. A value is never computed, so that its bits are
/// those of the table.
/// </remarks>
public static unsafe class ByteTable
{
    /// <summary>Values of a table.</summary>
    public const int Length = 256;

    /// <summary>Writes the values of rows of bytes, one row behind the other.</summary>
    /// <param name="matrix">Whole rows, one after the other.</param>
    /// <param name="columns">Bytes of a row.</param>
    /// <param name="rows">Which, from 0, in any order, repeats allowed.</param>
    /// <param name="table">The value of each byte.</param>
    /// <param name="destination">rows × columns values.</param>
    /// <param name="streams">Whether to write past the caches, for what several cores will read; see <see cref="RowGather"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such row.</exception>
    /// <exception cref="ArgumentException">The table or the destination has another length.</exception>
    public static void Map<T>(ReadOnlySpan<byte> matrix, int columns, ReadOnlySpan<int> rows, ReadOnlySpan<T> table, Span<T> destination, bool streams = false)
        where T : unmanaged
    {
        if (table.Length != Length)
        {
            throw new ArgumentException($"A byte has {Length} values, not {table.Length}.", nameof(table));
        }

        RowGather.Require(matrix.Length, columns, rows, destination.Length);
        fixed (byte* source = matrix)
        fixed (T* values = table, target = destination)
        {
            if (typeof(T) == typeof(float) && Avx512F.IsSupported)
            {
                MapWide(source, columns, rows, (float*)values, (float*)target, streams);
            }
            else
            {
                MapRows(source, columns, rows, values, target);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MapRows<T>(byte* source, int columns, ReadOnlySpan<int> rows, T* table, T* target)
        where T : unmanaged
    {
        for (int i = 0; i < rows.Length; i++)
        {
            FetchAhead(source, columns, rows, i);
            byte* from = source + ((nint)rows[i] * columns);
            for (int column = 0; column < columns; column++)
            {
                target[column] = table[from[column]];
            }

            target += columns;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MapWide(byte* source, int columns, ReadOnlySpan<int> rows, float* table, float* target, bool streams)
    {
        Vector512<float> t0 = Vector512.Load(table), t1 = Vector512.Load(table + 16), t2 = Vector512.Load(table + 32), t3 = Vector512.Load(table + 48);
        Vector512<float> t4 = Vector512.Load(table + 64), t5 = Vector512.Load(table + 80), t6 = Vector512.Load(table + 96), t7 = Vector512.Load(table + 112);
        Vector512<float> t8 = Vector512.Load(table + 128), t9 = Vector512.Load(table + 144), ta = Vector512.Load(table + 160), tb = Vector512.Load(table + 176);
        Vector512<float> tc = Vector512.Load(table + 192), td = Vector512.Load(table + 208), te = Vector512.Load(table + 224), tf = Vector512.Load(table + 240);
        for (int i = 0; i < rows.Length; i++)
        {
            FetchAhead(source, columns, rows, i);
            byte* from = source + ((nint)rows[i] * columns);
            bool past = streams && ((nint)target & (RowGather.LineBytes - 1)) == 0;
            int column = 0;
            for (; column <= columns - Vector512<float>.Count; column += Vector512<float>.Count)
            {
                // The lowest five bits choose from each pair of registers, and each of the three others halves the number of what is left.
                Vector512<int> b = Avx512F.ConvertToVector512Int32(Vector128.Load(from + column));
                Vector512<float> p0 = Avx512F.PermuteVar16x32x2(t0, b, t1), p1 = Avx512F.PermuteVar16x32x2(t2, b, t3);
                Vector512<float> p2 = Avx512F.PermuteVar16x32x2(t4, b, t5), p3 = Avx512F.PermuteVar16x32x2(t6, b, t7);
                Vector512<float> p4 = Avx512F.PermuteVar16x32x2(t8, b, t9), p5 = Avx512F.PermuteVar16x32x2(ta, b, tb);
                Vector512<float> p6 = Avx512F.PermuteVar16x32x2(tc, b, td), p7 = Avx512F.PermuteVar16x32x2(te, b, tf);
                Vector512<float> bit5 = Mask(b, 32), bit6 = Mask(b, 64), bit7 = Mask(b, 128);
                p0 = Vector512.ConditionalSelect(bit5, p1, p0);
                p2 = Vector512.ConditionalSelect(bit5, p3, p2);
                p4 = Vector512.ConditionalSelect(bit5, p5, p4);
                p6 = Vector512.ConditionalSelect(bit5, p7, p6);
                p0 = Vector512.ConditionalSelect(bit6, p2, p0);
                p4 = Vector512.ConditionalSelect(bit6, p6, p4);
                p0 = Vector512.ConditionalSelect(bit7, p4, p0);
                if (past)
                {
                    p0.StoreAlignedNonTemporal(target + column);
                }
                else
                {
                    p0.Store(target + column);
                }
            }

            for (; column < columns; column++)
            {
                target[column] = table[from[column]];
            }

            target += columns;
        }

        if (streams)
        {
            // What was written past the caches must be there before anybody is told of it.
            Sse.StoreFence();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(Vector512<int> values, int bit) => Vector512.GreaterThan(values & Vector512.Create(bit), Vector512<int>.Zero).AsSingle();

    /// <summary>A shuffled batch lies all over a data set that no cache holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchAhead(byte* source, int columns, ReadOnlySpan<int> rows, int row)
    {
        if (!Sse.IsSupported || row + RowGather.RowsAhead >= rows.Length)
        {
            return;
        }

        byte* ahead = source + ((nint)rows[row + RowGather.RowsAhead] * columns);
        for (int at = 0; at < columns; at += RowGather.LineBytes)
        {
            Sse.Prefetch0(ahead + at);
        }
    }
}
