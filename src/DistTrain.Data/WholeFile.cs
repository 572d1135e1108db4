namespace DistTrain.Data;

/// <summary>Writes files that are there whole or not at all.</summary>
public static class WholeFile
{
    /// <summary>
    /// Writes a file beside its place and puts it there when it is whole. A link is followed. What is there and empty may be a device or a pipe, which nothing must take
    /// the place of: it is written where it is. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be written; nothing is left beside it then.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes its contents.</param>
    /// <param name="synced">Whether its contents are on the disk before it is put there.</param>
    public static void Write(string path, Action<Stream> write, bool synced = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string place = PlaceOf(path);
        if (File.Exists(place) && new FileInfo(place).Length == 0)
        {
            using FileStream there = new(place, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            write(there);
            return;
        }

        string temporary = $"{place}.{Environment.ProcessId}.tmp";
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(file);
                file.Flush(synced);
            }

            File.Move(temporary, place, overwrite: true);
        }
        catch (Exception problem)
        {
            File.Delete(temporary);
            if (problem is IOException)
            {
                throw new IOException(problem.Message.Replace(temporary, path, StringComparison.Ordinal), problem);
            }

            throw;
        }
    }

    // What a descriptor of a process stands for has no path of its own to follow it to.
    private static string PlaceOf(string path)
    {
        FileInfo link = new(path);
        return link.LinkTarget is not null && link.ResolveLinkTarget(returnFinalTarget: true) is { } target && (target.Exists || !link.Exists) ? target.FullName : path;
    }
}
