using Microsoft.Win32.SafeHandles;

namespace DistTrain.Engines.Storage;

/// <summary>The machine's own disk.</summary>
internal sealed class FileDisk : IDisk
{
    private FileDisk()
    {
    }

    public static FileDisk Instance { get; } = new();

    public IDiskFile Create(string path) => new OpenFile(path);

    public void Cut(string path, long length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.Read);
        if (length < 0 || length > file.Length)
        {
            throw new IOException($"{path}: has {file.Length} bytes and cannot be cut to {length}");
        }

        file.SetLength(length);
        file.Flush(flushToDisk: true);
    }

    public void SyncFolder(string path) => FolderSync.Sync(path);

    public void CreateFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path));
        if (!string.IsNullOrEmpty(parent))
        {
            CreateFolder(parent);
        }

        Directory.CreateDirectory(path);
        FolderSync.Sync(string.IsNullOrEmpty(parent) ? "." : parent);
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    public void Delete(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    public void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path);
        }
    }

    public IReadOnlyList<string> Files(string folder) => Directory.Exists(folder) ? Sorted(Directory.EnumerateFiles(folder)) : [];

    public IReadOnlyList<string> Folders(string folder) => Directory.Exists(folder) ? Sorted(Directory.EnumerateDirectories(folder)) : [];

    public bool Exists(string path) => File.Exists(path);

    public long Length(string path) => new FileInfo(path).Length;

    public int Read(string path, long position, Span<byte> destination)
    {
        using SafeFileHandle file = File.OpenHandle(path);
        int read = 0;
        while (read < destination.Length)
        {
            int more = RandomAccess.Read(file, destination[read..], position + read);
            if (more == 0)
            {
                break;
            }

            read += more;
        }

        return read;
    }

    private static List<string> Sorted(IEnumerable<string> paths) =>
        [.. paths.Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private sealed class OpenFile(string path) : IDiskFile
    {
        // No buffer of the runtime's: what is appended must be with the operating system when the call returns.
        private readonly FileStream _stream = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);

        public long Length { get; private set; }

        public void Append(ReadOnlySpan<byte> bytes)
        {
            _stream.Write(bytes);
            Length += bytes.Length;
        }

        public void Sync() => _stream.Flush(flushToDisk: true);

        public void Dispose() => _stream.Dispose();
    }
}
