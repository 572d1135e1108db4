using DistTrain.Numerics;

namespace DistTrain.Engines.Storage;

/// <summary>Whole files on a disk.</summary>
internal static class DiskFiles
{
    /// <summary>What a file's name ends with while it is written.</summary>
    public const string TemporaryEnding = ".tmp";

    // What is read whole must fit an array.
    private const long WholeBytesMax = 0x7FFFFFC7;

    /// <summary>Reads a file whole. Throws <see cref="InvalidInputException"/> when it cannot be read.</summary>
    public static byte[] ReadWhole(this IDisk disk, string path)
    {
        try
        {
            long length = disk.Length(path);
            if (length > WholeBytesMax)
            {
                throw new InvalidInputException($"{path}: {length} bytes; expected at most {WholeBytesMax}");
            }

            byte[] bytes = new byte[length];
            int read = disk.Read(path, 0, bytes);
            return read == bytes.Length ? bytes : bytes[..read];
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: cannot be read ({refused.Message})", refused);
        }
    }

    /// <summary>
    /// Makes a file that is there whole or not at all, whatever happens meanwhile: written beside its place, synced, renamed, and the folder synced.
    /// </summary>
    public static void WriteWhole(this IDisk disk, string path, Action<Stream> write)
    {
        string temporary = path + TemporaryEnding;
        try
        {
            using (IDiskFile file = disk.Create(temporary))
            using (DiskStream stream = new(file))
            {
                write(stream);
                file.Sync();
            }

            disk.Rename(temporary, path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // A full disk gets its room back.
            disk.Delete(temporary);
            throw;
        }

        disk.SyncFolder(Path.GetDirectoryName(path)!);
    }
}
