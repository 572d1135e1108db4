using Akka.Actor;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Nodes;

/// <summary>Fetches files of snapshots from another node, several pieces at a time.</summary>
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
    public static async Task<bool> FetchAsync(ICanTell holder, long runId, long step, string name, SnapshotFolder folder)
    {
        if (folder.PlaceOf(step, name) is not string place)
        {
            return false;
        }

        string temporary = place + ".fetched";
        try
        {
            Part first = await AskAsync(holder, new FetchPart(runId, step, name, 0)).ConfigureAwait(false);
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
                        asked.Enqueue(AskAsync(holder, new FetchPart(runId, step, name, next)));
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

    private static Task<Part> AskAsync(ICanTell holder, FetchPart wanted) => holder.Ask<Part>(wanted, PieceTimeout);
}
