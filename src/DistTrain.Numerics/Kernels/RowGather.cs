using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DistTrain.Numerics.Kernels;

/// <summary>Rows of a matrix in any order, copied one behind the other.</summary>
/// <remarks>
/// A shuffled batch lies all over a data set that no cache holds, and a processor guesses at most the rest of a row from its beginning. So each row is copied while the one after the
/// next is fetched.
/// </remarks>
public static unsafe class RowGather
{
    /// <summary>Bytes of a cache line.</summary>
    internal const int LineBytes = 64;

    /// <summary>Which row to fetch while one is read: the next alone would still be on its way when its turn comes.</summary>
    internal const int RowsAhead = 2;

    /// <summary>Copies rows.</summary>
    /// <param name="matrix">Whole rows, one after the other.</param>
    /// <param name="columns">Values of a row.</param>
    /// <param name="rows">Which, from 0, in any order, repeats allowed.</param>
    /// <param name="destination">rows × columns values.</param>
    /// <param name="streams">
    /// Whether to write past the caches, for what several cores will read: a core that writes where another has read before has to ask that one for every line, which takes
    /// five times as long between cores without a common cache.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">No such row.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public static void Copy<T>(ReadOnlySpan<T> matrix, int columns, ReadOnlySpan<int> rows, Span<T> destination, bool streams = false)
        where T : unmanaged
    {
        Require(matrix.Length, columns, rows, destination.Length);
        fixed (T* source = matrix, target = destination)
        {
            Copy((byte*)source, (long)columns * sizeof(T), rows, (byte*)target, streams);
        }
    }

    /// <summary>Checks that there are such rows, and room for them.</summary>
    internal static void Require(int length, int columns, ReadOnlySpan<int> rows, int destinationLength)
    {
        if (destinationLength != (long)rows.Length * columns)
        {
            throw new ArgumentException($"{rows.Length} rows of {columns} values need {(long)rows.Length * columns}, not {destinationLength}.", nameof(destinationLength));
        }

        // Products, because for a small batch one division takes longer than all of them.
        bool outside = columns == 0 && !rows.IsEmpty;
        foreach (int row in rows)
        {
            outside |= row < 0 || (row + 1L) * columns > length;
        }

        if (outside)
        {
            Refuse(length, columns, rows);
        }
    }

    private static void Refuse(int length, int columns, ReadOnlySpan<int> rows)
    {
        int count = columns == 0 ? 0 : length / columns;
        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)count, nameof(rows));
        }
    }

    private static void Copy(byte* source, long rowBytes, ReadOnlySpan<int> rows, byte* target, bool streams)
    {
        if (rowBytes == sizeof(long))
        {
            CopyWhole((long*)source, rows, (long*)target);
            return;
        }

        if (rowBytes == sizeof(int))
        {
            CopyWhole((int*)source, rows, (int*)target);
            return;
        }

        bool wide = rowBytes >= LineBytes && Vector512.IsHardwareAccelerated && Sse.IsSupported;
        for (int i = 0; i < rows.Length; i++)
        {
            byte* from = source + (rows[i] * rowBytes), to = target + (i * rowBytes);
            byte* ahead = i + RowsAhead < rows.Length ? source + (rows[i + RowsAhead] * rowBytes) : from;
            long done = wide ? CopyLines(from, ahead, to, rowBytes, streams && ((nint)to & (LineBytes - 1)) == 0) : 0;
            Buffer.MemoryCopy(from + done, to + done, rowBytes - done, rowBytes - done);
        }

        if (streams && wide)
        {
            // What was written past the caches must be there before anybody is told of it.
            Sse.StoreFence();
        }
    }

    /// <summary>Copies rows that a register holds, for which a call each would take longer.</summary>
    private static void CopyWhole<TRow>(TRow* source, ReadOnlySpan<int> rows, TRow* target)
        where TRow : unmanaged
    {
        for (int i = 0; i < rows.Length; i++)
        {
            target[i] = source[rows[i]];
        }
    }

    /// <summary>Copies whole vectors; returns how many bytes these are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long CopyLines(byte* from, byte* ahead, byte* to, long bytes, bool streams)
    {
        long at = 0;
        for (; at <= bytes - LineBytes; at += LineBytes)
        {
            Sse.Prefetch0(ahead + at);
            Vector512<byte> line = Vector512.Load(from + at);
            if (streams)
            {
                line.StoreAlignedNonTemporal(to + at);
            }
            else
            {
                line.Store(to + at);
            }
        }

        return at;
    }
}
