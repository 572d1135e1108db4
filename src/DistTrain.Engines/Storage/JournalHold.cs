using System.Buffers.Binary;
using DistTrain.Numerics;

namespace DistTrain.Engines.Storage;

/// <summary>
/// Keeps processes of one run out of the journal of the next. When a run's parent is killed its children end by themselves, but a moment later. Those that write hold
/// the journal, and whoever goes on with the run waits until the operating system has let go of all holds. Those that were being started come too late for that: each
/// run claims the journal under a number of its own, and whoever finds another number there leaves the journal alone.
/// </summary>
internal static class JournalHold
{
    private const string HoldFile = ".claim";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    // Children look for their parent's end with a thread of their own; on a busy machine it may have to wait for its turn.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Claims a folder for a run once nobody holds it any more. Throws <see cref="InvalidInputException"/> when somebody goes on doing so.</summary>
    /// <returns>The number of the claim.</returns>
    public static long Claim(string folder)
    {
        Directory.CreateDirectory(folder);
        long start = TimeProvider.System.GetTimestamp();
        using ManualResetEventSlim never = new();
        while (true)
        {
            try
            {
                using FileStream file = Open(folder, FileAccess.ReadWrite, FileShare.None);
                long claim = Read(file) + 1;
                Span<byte> bytes = stackalloc byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(bytes, claim);
                file.Position = 0;
                file.Write(bytes);
                return claim;
            }
            catch (IOException held)
            {
                if (TimeProvider.System.GetElapsedTime(start) > Patience)
                {
                    throw new InvalidInputException($"{folder}: processes of an earlier run are still writing here ({held.Message}); expected them to have ended", held);
                }

                never.Wait(LookEvery);
            }
        }
    }

    /// <summary>Claims a folder that processes have written in, so that it can be read; nothing where none have.</summary>
    public static void ClaimIfHeld(string folder)
    {
        if (File.Exists(Path.Combine(folder, HoldFile)))
        {
            Claim(folder);
        }
    }

    /// <summary>Holds a folder until the result is disposed; null when another run has claimed it since.</summary>
    public static IDisposable? TryTake(string folder, long claim)
    {
        FileStream file;
        try
        {
            file = Open(folder, FileAccess.Read, FileShare.ReadWrite);
        }
        catch (IOException)
        {
            // Somebody is claiming it at this moment.
            return null;
        }

        if (Read(file) == claim)
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    private static long Read(FileStream file)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;
    }

    private static FileStream Open(string folder, FileAccess access, FileShare share) =>
        new(Path.Combine(folder, HoldFile), FileMode.OpenOrCreate, access, share, bufferSize: 0);
}
