using System.Security.Cryptography;

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
        string root = Path.GetFullPath(datasets);
        foreach (JobFile file in files)
        {
            string full = Path.GetFullPath(file.Path, root);
            if (!full.StartsWith(root, StringComparison.Ordinal))
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

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
