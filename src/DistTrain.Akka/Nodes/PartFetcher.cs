using Akka.Actor;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Nodes;

/// <summary>Fetches files of snapshots from another node, and data files from a client, several pieces at a time.</summary>
internal static class PartFetcher
{
    /// <summary>Pieces on their way at once: at 60 KiB each they fill a link of 1 Gbit/s and 20 ms half, and heartbeats still pass.</summary>
    private const int PiecesMax = 16;

    private static readonly TimeSpan PieceTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Fetches a whole snapshot; the file that makes it exist comes last.</summary>
    /// <returns>Whether it is here now.</returns>
    public static async Task<bool> FetchSnapshotAsync(ICanTell holder, long runId, long step, int slices, SnapshotFolder folder)
    {
        foreach (string name in SnapshotFolder.FilesOf(slices))
        {
            if (!File.Exists(folder.PlaceOf(step, name)) && !await FetchAsync(holder, runId, step, name, folder).ConfigureAwait(false))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Fetches a file; it is there whole or not at all.</summary>
    public static Task<bool> FetchAsync(ICanTell holder, long runId, long step, string name, SnapshotFolder folder) =>
        folder.PlaceOf(step, name) is string place
            ? FetchAsync(offset => AskAsync(holder, new FetchPart(runId, step, name, offset)), place)
            : Task.FromResult(false);

    /// <summary>Fetches a data file from a client; it is there whole or not at all.</summary>
    public static Task<bool> FetchFileAsync(ICanTell client, long runId, string path, string place) =>
        FetchAsync(offset => AskAsync(client, new FetchFile(runId, path, offset)), place);

    private static async Task<bool> FetchAsync(Func<long, Task<Part>> ask, string place)
    {
        string temporary = place + ".fetched";
        try
        {
            Part first = await ask(0).ConfigureAwait(false);
            if (first.Total < 0)
            {
                return false;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                file.Write(first.Bytes);
                Queue<Task<Part>> asked = new();
                long next = first.Bytes.Length;
                while (next < first.Total || asked.Count > 0)
                {
                    while (next < first.Total && asked.Count < PiecesMax)
                    {
                        asked.Enqueue(ask(next));
                        next += SnapshotFolder.PieceBytes;
                    }

                    Part piece = await asked.Dequeue().ConfigureAwait(false);
                    if (piece.Total != first.Total || piece.Offset != file.Position)
                    {
                        return false;
                    }

                    file.Write(piece.Bytes);
                }
            }

            File.Move(temporary, place, overwrite: true);
            return true;
        }
        catch (Exception lost) when (lost is AskTimeoutException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static Task<Part> AskAsync(ICanTell holder, ClusterMessage wanted) => holder.Ask<Part>(wanted, PieceTimeout);
}
