using DistTrain.Engines.Storage;

namespace DistTrain.Akka.Nodes;

/// <summary>The machine's disk, where a file that got its name for good is told of, so that other nodes keep it too.</summary>
/// <param name="onNamed">Hears of every such file; returns when the others have it, or will not.</param>
internal sealed class KeptElsewhereDisk(Action<string> onNamed) : IDisk
{
    private readonly FileDisk _disk = FileDisk.Instance;

    public void Rename(string from, string to)
    {
        _disk.Rename(from, to);
        onNamed(to);
    }

    public IDiskFile Create(string path) => _disk.Create(path);

    public void Cut(string path, long length) => _disk.Cut(path, length);

    public void SyncFolder(string path) => _disk.SyncFolder(path);

    public void CreateFolder(string path) => _disk.CreateFolder(path);

    public void Delete(string path) => _disk.Delete(path);

    public void DeleteFolder(string path) => _disk.DeleteFolder(path);

    public IReadOnlyList<string> Files(string folder) => _disk.Files(folder);

    public IReadOnlyList<string> Folders(string folder) => _disk.Folders(folder);

    public bool Exists(string path) => _disk.Exists(path);

    public long Length(string path) => _disk.Length(path);

    public int Read(string path, long position, Span<byte> destination) => _disk.Read(path, position, destination);
}
