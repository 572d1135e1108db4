using System.Runtime.InteropServices;

namespace DistTrain.Engines.Shared;

/// <summary>
/// Memory outside the garbage-collected heap that one run leaves to the next of this process, by size: a page that the system hands out for
/// the first time costs as much as computing several thousand products. Thread-safe.
/// </summary>
internal static unsafe class NativeBlocks
{
    private const int Alignment = 64;

    // Enough for the runs of a study side by side; what goes beyond returns to the system.
    private const long KeptBytesMax = 64 << 20;

    private static readonly Lock s_lock = new();
    private static readonly Dictionary<long, Stack<nint>> s_free = [];
    private static long s_keptBytes;

    /// <summary>A block of undefined contents, 64-byte aligned.</summary>
    public static nint Take(long bytes)
    {
        lock (s_lock)
        {
            if (s_free.TryGetValue(bytes, out Stack<nint>? blocks) && blocks.TryPop(out nint block))
            {
                s_keptBytes -= bytes;
                return block;
            }
        }

        return (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
    }

    /// <summary>Gives a block back.</summary>
    public static void Give(nint block, long bytes)
    {
        lock (s_lock)
        {
            if (s_keptBytes + bytes <= KeptBytesMax)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(s_free, bytes, out _) ??= new Stack<nint>();
                s_free[bytes].Push(block);
                s_keptBytes += bytes;
                return;
            }
        }

        NativeMemory.AlignedFree((void*)block);
    }
}
