namespace DistTrain.Data;

/// <summary>Writes files that are there whole or not at all.</summary>
public static class WholeFile
{
    private static readonly string[] Descriptors = ["/proc/", "/dev/fd/"];

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
        string? place = PlaceOf(path);
        if (place is null || (File.Exists(place) && new FileInfo(place).Length == 0))
        {
            using FileStream there = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
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

    /// <summary>Where a file goes; null where it is written through a link that leads to no place, as that of a descriptor of a process (/dev/stdout) does.</summary>
    private static string? PlaceOf(string path)
    {
        FileInfo link = new(path);
        if (link.LinkTarget is null)
        {
            return path;
        }

        string next = Path.GetFullPath(link.LinkTarget, Path.GetDirectoryName(link.FullName)!);
        bool isDescriptor = Array.Exists([link.FullName, next], name => Array.Exists(Descriptors, folder => name.StartsWith(folder, StringComparison.Ordinal)));
        return isDescriptor ? null : link.ResolveLinkTarget(returnFinalTarget: true)?.FullName;
    }
}
