using DistTrain.Engines.Storage;

namespace DistTrain.Engines.Tests.Storage;

/// <summary>A disk that lets a test do something while a file is being created.</summary>
internal sealed class InterruptedDisk(IDisk inner) : IDisk
{
    /// <summary>Called before the file is there.</summary>
    public Action? OnCreate { get; set; }

    public IDiskFile Create(string path)
    {
        OnCreate?.Invoke();
        return inner.Create(path);
    }

    public void Cut(string path, long length) => inner.Cut(path, length);

    public void SyncFolder(string path) => inner.SyncFolder(path);

    public void CreateFolder(string path) => inner.CreateFolder(path);

    public void Rename(string from, string to) => inner.Rename(from, to);

    public void Delete(string path) => inner.Delete(path);

    public void DeleteFolder(string path) => inner.DeleteFolder(path);

    public IReadOnlyList<string> Files(string folder) => inner.Files(folder);

    public IReadOnlyList<string> Folders(string folder) => inner.Folders(folder);

    public bool Exists(string path) => inner.Exists(path);

    public long Length(string path) => inner.Length(path);

    public int Read(string path, long position, Span<byte> destination) => inner.Read(path, position, destination);
}
