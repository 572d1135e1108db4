using DistTrain.Engines.Faults;
using DistTrain.Protocol.Actors;

namespace DistTrain.Engines.Storage;

/// <summary>A disk on which writes of some actors fail, as a scenario says. What was written before stays as it is.</summary>
/// <param name="inner">The disk.</param>
internal sealed class FaultyDisk(IDisk inner) : IDisk
{
    private readonly SortedSet<int> _full = [], _tears = [];

    /// <summary>On whose behalf what follows is written; null for nobody's.</summary>
    public ActorId? Writer { get; set; }

    /// <summary>A fault begins.</summary>
    public void Begin(DiskFault fault) => (fault.Problem == DiskProblem.Full ? _full : _tears).Add(fault.Actor.Index);

    public IDiskFile Create(string path) => new OpenFile(this, inner.Create(path), path);

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

    private sealed class OpenFile(FaultyDisk disk, IDiskFile file, string path) : IDiskFile
    {
        public long Length => file.Length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            if (disk.Writer is ActorId writer)
            {
                if (disk._full.Contains(writer.Index))
                {
                    throw new IOException($"{path}: no space left on device");
                }

                if (disk._tears.Remove(writer.Index))
                {
                    file.Append(bytes[..(bytes.Length / 2)]);
                    throw new IOException($"{path}: a write was torn: {bytes.Length / 2} of its {bytes.Length} bytes are there");
                }
            }

            file.Append(bytes);
        }

        public void Sync() => file.Sync();

        public void Dispose() => file.Dispose();
    }
}
