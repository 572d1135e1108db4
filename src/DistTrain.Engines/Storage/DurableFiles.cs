namespace DistTrain.Engines.Storage;

/// <summary>Files and folders that outlast the loss of power, for what a run needs besides its log to go on.</summary>
public static class DurableFiles
{
    /// <summary>Writes a file that is there whole or not at all, and synced with its name. Throws <see cref="IOException"/> where it cannot be written.</summary>
    public static void WriteWhole(string path, byte[] bytes)
    {
        try
        {
            FileDisk.Instance.WriteWhole(path, stream => stream.Write(bytes));
        }
        catch (IOException failure)
        {
            // It goes by the name that the caller knows.
            throw new IOException(failure.Message.Replace(path + DiskFiles.TemporaryEnding, path, StringComparison.Ordinal), failure);
        }
    }

    /// <summary>Makes a folder and those above it, each with its name synced.</summary>
    public static void CreateFolder(string path) => FileDisk.Instance.CreateFolder(path);

    /// <summary>Syncs the name of a folder that was made otherwise.</summary>
    public static void SyncName(string folder) => FolderSync.Sync(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? folder);
}
