using DistTrain.Numerics.Randomness;

namespace DistTrain.Engines.Storage;

/// <summary>What a crash takes.</summary>
internal enum CrashKind
{
    /// <summary>The process: what was written stays, in the operating system's memory.</summary>
    Process,

    /// <summary>Power: of what was not synced any part may be lost, in any order, and a write may be torn.</summary>
    Power,
}

/// <summary>
/// A disk in memory that knows what was synced. Every call that changes something is a boundary: the run can be stopped at each, and what is left then is drawn
/// from a seed.
/// </summary>
/// <param name="syncs">Whether a sync does what it says; a disk that lies is there to show that the tests would notice.</param>
internal sealed class SimulatedDisk(bool syncs = true) : IDisk
{
    private const int Sector = 512;
    private readonly SortedDictionary<string, Inode> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Inode> _kept = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _folders = new(StringComparer.Ordinal);
    private readonly List<(string Folder, string? Removed, string? Added, Inode? File)> _names = [];
    private (Inode File, byte[] Bytes)? _torn;
    private bool _crashed;

    /// <summary>Boundaries passed so far.</summary>
    public long Boundaries { get; private set; }

    /// <summary>The boundary at which the machine stops; none by default.</summary>
    public long CrashAt { get; init; } = long.MaxValue;

    /// <summary>Bytes that there is room for.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Bytes in files.</summary>
    public long Used => _files.Values.Sum(file => (long)file.Bytes.Count);

    /// <summary>The disk as the next process finds it.</summary>
    /// <param name="kind">What was lost.</param>
    /// <param name="seed">Decides what of the unsynced is left.</param>
    /// <param name="crashAt">The boundary at which that process stops in turn.</param>
    public SimulatedDisk AfterCrash(CrashKind kind, ulong seed, long crashAt = long.MaxValue)
    {
        Draws draws = new(seed);
        SimulatedDisk next = new(syncs) { CrashAt = crashAt };
        next._folders.UnionWith(_folders);
        SortedDictionary<string, Inode> names = kind == CrashKind.Process ? _files : SurvivingNames(draws);
        foreach ((string path, Inode file) in names)
        {
            List<byte> bytes = kind == CrashKind.Process ? ProcessLeaves(file, draws) : PowerLeaves(file, draws);
            Inode copy = new() { Bytes = bytes };
            copy.Keep();
            next._files.Add(path, copy);
            next._kept.Add(path, copy);
        }

        return next;
    }

    /// <summary>Replaces a file's bytes, as damage would.</summary>
    public void Damage(string path, Func<byte[], byte[]> change)
    {
        Inode file = _files[path];
        file.Bytes = [.. change([.. file.Bytes])];
        file.Keep();
    }

    public IDiskFile Create(string path)
    {
        Boundary($"create {path}");
        RequireFolder(path);
        Inode file = new();
        Name(path, null, path, file);
        return new OpenFile(this, file, path);
    }

    public void Cut(string path, long length)
    {
        Boundary($"cut {path}");
        Inode file = Find(path);
        if (length < 0 || length > file.Bytes.Count)
        {
            throw new IOException($"{path}: has {file.Bytes.Count} bytes and cannot be cut to {length}");
        }

        file.Bytes.RemoveRange((int)length, file.Bytes.Count - (int)length);
        file.Keep();
    }

    public void SyncFolder(string path)
    {
        Boundary($"sync {path}");
        if (!syncs)
        {
            return;
        }

        foreach ((string folder, string? removed, string? added, Inode? file) in _names)
        {
            if (folder == path)
            {
                Apply(_kept, removed, added, file);
            }
        }

        _names.RemoveAll(name => name.Folder == path);
    }

    public void CreateFolder(string path)
    {
        // Folders are few and made once; losing one is losing every name in it, which the names show already.
        for (string? folder = path; !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
        {
            _folders.Add(folder);
        }
    }

    public void Rename(string from, string to)
    {
        Boundary($"rename {from}");
        Name(to, from, to, Find(from));
    }

    public void Delete(string path)
    {
        if (_files.ContainsKey(path))
        {
            Boundary($"delete {path}");
            Name(path, path, null, null);
        }
    }

    public void DeleteFolder(string path)
    {
        if (_folders.Contains(path))
        {
            Boundary($"delete {path}");
            if (Files(path).Count > 0)
            {
                throw new IOException($"{path}: the folder is not empty");
            }

            _folders.Remove(path);
        }
    }

    public IReadOnlyList<string> Files(string folder) =>
        [.. _files.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];

    public IReadOnlyList<string> Folders(string folder) =>
        [.. _folders.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];

    public bool Exists(string path) => _files.ContainsKey(path);

    public long Length(string path) => Find(path).Bytes.Count;

    public int Read(string path, long position, Span<byte> destination)
    {
        List<byte> bytes = Find(path).Bytes;
        int count = (int)Math.Clamp(bytes.Count - position, 0, destination.Length);
        if (count > 0)
        {
            System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes).Slice((int)position, count).CopyTo(destination);
        }

        return count;
    }

    private static void Apply(SortedDictionary<string, Inode> names, string? removed, string? added, Inode? file)
    {
        if (removed is not null)
        {
            names.Remove(removed);
        }

        if (added is not null)
        {
            names[added] = file!;
        }
    }

    private void Name(string path, string? removed, string? added, Inode? file)
    {
        Apply(_files, removed, added, file);
        _names.Add((Path.GetDirectoryName(path)!, removed, added, file));
    }

    private Inode Find(string path) => _files.TryGetValue(path, out Inode? file) ? file : throw new FileNotFoundException($"{path}: there is no such file");

    private void RequireFolder(string path)
    {
        if (!_folders.Contains(Path.GetDirectoryName(path)!))
        {
            throw new DirectoryNotFoundException($"{path}: there is no such folder");
        }
    }

    private void Boundary(string what)
    {
        if (_crashed || ++Boundaries >= CrashAt)
        {
            _crashed = true;
            throw new SimulatedCrashException($"stopped at boundary {Boundaries}: {what}");
        }
    }

    private void Append(Inode file, string path, ReadOnlySpan<byte> bytes)
    {
        if (!_crashed && Boundaries + 1 >= CrashAt)
        {
            _torn = (file, bytes.ToArray());
        }

        Boundary($"append {bytes.Length} bytes to {path}");
        int fits = (int)Math.Clamp(Capacity - Used, 0, bytes.Length);
        file.Writes.Add((file.Bytes.Count, bytes[..fits].ToArray()));
        file.Bytes.AddRange(bytes[..fits]);
        if (fits < bytes.Length)
        {
            throw new IOException($"{path}: no space left on device");
        }
    }

    private void Sync(Inode file, string path)
    {
        Boundary($"sync {path}");
        if (syncs)
        {
            file.Keep();
        }
    }

    private SortedDictionary<string, Inode> SurvivingNames(Draws draws)
    {
        SortedDictionary<string, Inode> names = new(_kept, StringComparer.Ordinal);
        foreach ((_, string? removed, string? added, Inode? file) in _names)
        {
            if (draws.Next(2) == 0)
            {
                Apply(names, removed, added, file);
            }
        }

        return names;
    }

    /// <summary>Everything written, and a first part of the write under way.</summary>
    private List<byte> ProcessLeaves(Inode file, Draws draws)
    {
        List<byte> bytes = [.. file.Bytes];
        if (_torn is (Inode inode, byte[] torn) && ReferenceEquals(inode, file))
        {
            bytes.AddRange(torn[..draws.Next(torn.Length + 1)]);
        }

        return bytes;
    }

    /// <summary>What was synced; of each write since then all, nothing, or some of its sectors.</summary>
    private List<byte> PowerLeaves(Inode file, Draws draws)
    {
        List<byte> bytes = [.. file.Kept];
        List<(int At, byte[] Bytes)> writes = [.. file.Writes];
        if (_torn is (Inode inode, byte[] torn) && ReferenceEquals(inode, file))
        {
            writes.Add((file.Bytes.Count, torn));
        }

        foreach ((int at, byte[] written) in writes)
        {
            int fate = draws.Next(3);
            for (int from = 0; from < written.Length && fate > 0; from += Sector)
            {
                if (fate == 1 || draws.Next(2) == 0)
                {
                    Put(bytes, at + from, written.AsSpan(from, Math.Min(Sector, written.Length - from)));
                }
            }
        }

        return bytes;
    }

    private static void Put(List<byte> bytes, int at, ReadOnlySpan<byte> written)
    {
        while (bytes.Count < at + written.Length)
        {
            bytes.Add(0);
        }

        for (int i = 0; i < written.Length; i++)
        {
            bytes[at + i] = written[i];
        }
    }

    private sealed class Inode
    {
        public List<byte> Bytes { get; set; } = [];

        public byte[] Kept { get; private set; } = [];

        public List<(int At, byte[] Bytes)> Writes { get; } = [];

        public void Keep()
        {
            Kept = [.. Bytes];
            Writes.Clear();
        }
    }

    private sealed class OpenFile(SimulatedDisk disk, Inode file, string path) : IDiskFile
    {
        public long Length => file.Bytes.Count;

        public void Append(ReadOnlySpan<byte> bytes) => disk.Append(file, path, bytes);

        public void Sync() => disk.Sync(file, path);

        public void Dispose()
        {
        }
    }

    private sealed class Draws(ulong seed)
    {
        private readonly RandomStream _stream = new(seed, RandomPurpose.Faults);
        private long _position;

        public int Next(int below) => _stream.Below(_position++, below);
    }
}
