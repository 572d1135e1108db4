using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Some rows of a few values turned so that they lie beside each other: what a row does with its values in their order, vectors then do for all rows at once, and neither a
/// sum within a vector nor a choice between a row's values is needed.
/// </summary>
internal static unsafe class TurnedRows
{
    // Rows and columns that are turned in registers at a time.
    private const int RowsOfBlock = 8, ColumnsOfBlock = 4;

    /// <summary>target[column·beside + row] = source[row·columns + column], and 0 for rows that are not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn<TFrom, T>(TFrom* source, int rows, int columns, T* target, int beside)
        where TFrom : unmanaged, IBinaryFloatingPointIeee754<TFrom>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int first = 0;
        if (ServesBlocks<TFrom>(columns))
        {
            for (; first <= rows - RowsOfBlock; first += RowsOfBlock, source += RowsOfBlock * columns, target += RowsOfBlock)
            {
                TurnBlocks((float*)source, columns, target, beside);
            }
        }

        for (int row = first; row < rows; row++, target++)
        {
            T* place = target;
            for (TFrom* end = source + columns; source < end; source++, place += beside)
            {
                *place = T.CreateTruncating(*source);
            }
        }

        for (int row = rows; row < beside; row++, target++)
        {
            for (int column = 0; column < columns; column++)
            {
                target[column * beside] = T.Zero;
            }
        }
    }

    /// <summary>The way back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TurnBack<T>(T* source, int rows, int columns, T* target, int beside)
        where T : unmanaged
    {
        int first = 0;
        if (ServesBlocks<T>(columns))
        {
            for (; first <= rows - RowsOfBlock; first += RowsOfBlock, source += RowsOfBlock, target += RowsOfBlock * columns)
            {
                TurnBlocksBack((float*)source, columns, (float*)target, beside);
            }
        }

        for (int row = first; row < rows; row++, source++)
        {
            T* place = source;
            for (T* end = target + columns; target < end; target++, place += beside)
            {
                *target = *place;
            }
        }
    }

    private static bool ServesBlocks<T>(int columns) => typeof(T) == typeof(float) && Avx.IsSupported && columns >= ColumnsOfBlock;

    /// <summary>Eight rows; the last block of columns overlaps the one before where columns do not divide.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnBlocks<T>(float* source, int columns, T* target, int beside)
        where T : unmanaged
    {
        for (int next = 0; next < columns; next += ColumnsOfBlock)
        {
            int column = Math.Min(next, columns - ColumnsOfBlock);
            float* row = source + column, above = row + (4 * columns);
            Vector256<float> r0 = Squares.Halves(row, above), r1 = Squares.Halves(row + columns, above + columns);
            Vector256<float> r2 = Squares.Halves(row + (2 * columns), above + (2 * columns)), r3 = Squares.Halves(row + (3 * columns), above + (3 * columns));
            Squares.Transpose(ref r0, ref r1, ref r2, ref r3);
            T* place = target + ((nint)column * beside);
            Store(r0, place);
            Store(r1, place + beside);
            Store(r2, place + (2 * (nint)beside));
            Store(r3, place + (3 * (nint)beside));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnBlocksBack(float* source, int columns, float* target, int beside)
    {
        for (int next = 0; next < columns; next += ColumnsOfBlock)
        {
            int column = Math.Min(next, columns - ColumnsOfBlock);
            float* place = source + ((nint)column * beside);
            Vector256<float> c0 = Vector256.Load(place), c1 = Vector256.Load(place + beside);
            Vector256<float> c2 = Vector256.Load(place + (2 * (nint)beside)), c3 = Vector256.Load(place + (3 * (nint)beside));
            Squares.Transpose(ref c0, ref c1, ref c2, ref c3);
            float* row = target + column, above = row + (4 * columns);
            StoreHalves(c0, row, above);
            StoreHalves(c1, row + columns, above + columns);
            StoreHalves(c2, row + (2 * columns), above + (2 * columns));
            StoreHalves(c3, row + (3 * columns), above + (3 * columns));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<float> values, float* low, float* high)
    {
        values.GetLower().Store(low);
        values.GetUpper().Store(high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(Vector256<float> values, T* place)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            values.Store((float*)place);
            return;
        }

        (Vector256<double> lower, Vector256<double> upper) = Vector256.Widen(values);
        lower.Store((double*)place);
        upper.Store((double*)place + Vector256<double>.Count);
    }
}
