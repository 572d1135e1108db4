using System.Numerics;
using System.Runtime.CompilerServices;

namespace DistTrain.Numerics.Kernels;

/// <summary>
/// Some rows of a few values turned so that they lie beside each other: what a row does with its values in their order, vectors then do for all rows at once, and neither a
/// sum within a vector nor a choice between a row's values is needed.
/// </summary>
internal static unsafe class TurnedRows
{
    /// <summary>target[column·beside + row] = source[row·columns + column], and 0 for rows that are not there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turn<TFrom, T>(TFrom* source, int rows, int columns, T* target, int beside)
        where TFrom : unmanaged, IBinaryFloatingPointIeee754<TFrom>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int row = 0; row < rows; row++, target++)
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
        for (int row = 0; row < rows; row++, source++)
        {
            T* place = source;
            for (T* end = target + columns; target < end; target++, place += beside)
            {
                *target = *place;
            }
        }
    }
}
