using System.Security.Cryptography;
using Akka.Actor;
using DistTrain.Akka.Wire;

namespace DistTrain.Akka.Nodes;

/// <summary>Data files below a datasets folder, known by path, length and SHA-256.</summary>
internal static class DataFiles
{
    /// <summary>What a file is.</summary>
    public static JobFile Describe(string datasets, string fullPath)
    {
        string path = Path.GetRelativePath(datasets, fullPath).Replace(Path.DirectorySeparatorChar, '/');
        return new JobFile(path, new FileInfo(fullPath).Length, Hash(fullPath));
    }

    /// <summary>Why a run's files are not all here; empty when they are.</summary>
    public static string Problem(string datasets, IReadOnlyList<JobFile> files)
    {
        foreach (JobFile file in files)
        {
            if (Below(datasets, file.Path) is not string full)
            {
                return $"{file.Path} is not below the datasets folder";
            }

            if (!File.Exists(full))
            {
                return $"{file.Path} is not in {datasets}";
            }

            if (new FileInfo(full).Length != file.Bytes || Hash(full) != file.Sha256)
            {
                return $"{file.Path} in {datasets} is another file than the client's";
            }
        }

        return "";
    }

    /// <summary>A piece of a run's data file; of total −1 for any other file.</summary>
    public static Part Read(string datasets, ClusterJob job, FetchFile wanted)
    {
        Part absent = new(wanted.RunId, 0, wanted.Path, wanted.Offset, -1, []);
        return wanted.RunId == job.RunId && job.Ships && job.Files.Any(file => file.Path == wanted.Path)
            ? SnapshotFolder.ReadPiece(Path.GetFullPath(wanted.Path, datasets), absent)
            : absent;
    }

    /// <summary>
    /// The folder below which a node finds a run's files: its own, or where it keeps what the client ships when they are not in its own.
    /// </summary>
    /// <param name="job">The run.</param>
    /// <param name="datasets">The node's own folder.</param>
    /// <param name="shipped">Where shipped files go.</param>
    /// <param name="client">The client's actor.</param>
    /// <returns>The folder, and why the files are not all there; empty when they are.</returns>
    public static (string Folder, string Problem) Find(ClusterJob job, string datasets, string shipped, ICanTell client)
    {
        string problem = Problem(datasets, job.Files);
        if (problem.Length == 0 || !job.Ships)
        {
            return (datasets, problem);
        }

        foreach (JobFile file in job.Files)
        {
            bool isHere = Below(shipped, file.Path) is string place
                && (File.Exists(place) || PartFetcher.FetchFileAsync(client, job.RunId, file.Path, place).GetAwaiter().GetResult());
            if (!isHere)
            {
                return (datasets, $"{problem}, and the client does not ship {file.Path}");
            }
        }

        string root = Path.GetFullPath(shipped);
        return (root, Problem(root, job.Files));
    }

    /// <summary>The full path of what lies below a folder; null for a path that leads elsewhere.</summary>
    internal static string? Below(string folder, string path)
    {
        string root = Path.GetFullPath(folder), full = Path.GetFullPath(path, root), way = Path.GetRelativePath(root, full);
        bool leavesIt = way is "." or ".." || way.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal) || Path.IsPathRooted(way);
        return leavesIt ? null : full;
    }

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
