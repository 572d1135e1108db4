namespace DistTrain.Engines.Storage;

/// <summary>
/// The disk that a run keeps itself on. Snapshots, logs and records go through here, so that a test can stand for a disk that loses what was not synced.
/// A problem of the disk is an <see cref="IOException"/> or an <see cref="UnauthorizedAccessException"/>.
/// </summary>
internal interface IDisk
{
    /// <summary>A new, empty file to append to; one that is there is emptied.</summary>
    IDiskFile Create(string path);

    /// <summary>Shortens a file to its first <paramref name="length"/> bytes, and syncs it.</summary>
    void Cut(string path, long length);

    /// <summary>Makes the entries of a folder outlast the loss of power: files created, renamed and deleted in it.</summary>
    void SyncFolder(string path);

    /// <summary>Makes a folder and those above it; nothing where it is there.</summary>
    void CreateFolder(string path);

    /// <summary>Gives a file another name in one step, in place of a file that has it.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file; nothing where there is none.</summary>
    void Delete(string path);

    /// <summary>Deletes a folder that is empty; nothing where there is none.</summary>
    void DeleteFolder(string path);

    /// <summary>Names of the files in a folder, in ordinal order; none where there is no such folder.</summary>
    IReadOnlyList<string> Files(string folder);

    /// <summary>Names of the folders in a folder, in ordinal order; none where there is no such folder.</summary>
    IReadOnlyList<string> Folders(string folder);

    /// <summary>Whether a file is there.</summary>
    bool Exists(string path);

    /// <summary>Bytes of a file.</summary>
    long Length(string path);

    /// <summary>Reads from a position on, up to the file's end; the number of bytes read.</summary>
    int Read(string path, long position, Span<byte> destination);
}

/// <summary>A file that is written from its start to its end.</summary>
internal interface IDiskFile : IDisposable
{
    /// <summary>Bytes so far.</summary>
    long Length { get; }

    /// <summary>Writes at the end. Afterwards the bytes outlast the process, but not the loss of power.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Makes what was written outlast the loss of power; the file's name needs <see cref="IDisk.SyncFolder"/>.</summary>
    void Sync();
}
