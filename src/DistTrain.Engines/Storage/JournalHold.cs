using DistTrain.Numerics;

namespace DistTrain.Engines.Storage;

/// <summary>
/// Tells whether processes of a run still write in its journal. When a run's parent is killed its children end by themselves, but a moment later; whoever goes on
/// with the run waits for that moment. The operating system lets go of a hold with the process.
/// </summary>
internal static class JournalHold
{
    private const string HoldFile = ".hosted";
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(5);

    // Children look for their parent's end with a thread of their own; on a busy machine it may have to wait for its turn.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Holds a journal folder until the result is disposed.</summary>
    public static IDisposable Take(string folder)
    {
        Directory.CreateDirectory(folder);
        return Open(folder, FileShare.ReadWrite);
    }

    /// <summary>Returns once nobody holds the folder. Throws <see cref="InvalidInputException"/> when somebody goes on doing so.</summary>
    public static void AwaitFree(string folder)
    {
        long start = TimeProvider.System.GetTimestamp();
        using ManualResetEventSlim never = new();
        while (File.Exists(Path.Combine(folder, HoldFile)))
        {
            try
            {
                using IDisposable free = Open(folder, FileShare.None);
                return;
            }
            catch (Exception held) when (held is IOException and not FileNotFoundException)
            {
                if (TimeProvider.System.GetElapsedTime(start) > Patience)
                {
                    throw new InvalidInputException($"{folder}: processes of an earlier run are still writing here; expected them to have ended", held);
                }

                never.Wait(LookEvery);
            }
        }
    }

    private static FileStream Open(string folder, FileShare share) =>
        new(Path.Combine(folder, HoldFile), FileMode.OpenOrCreate, FileAccess.Read, share, bufferSize: 0);
}
