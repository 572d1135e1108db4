using System.Globalization;

namespace DistTrain.Akka.Nodes;

/// <summary>The folders of runs on a node's disk. That of a run whose client has its model goes with the run; one whose client never came back stays, for it may be
/// resumed, and so many of those that disks do not fill.</summary>
internal static class KeptRuns
{
    private const string Prefix = "run-";

    private static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, IgnoreInaccessible = true };

    /// <summary>Deletes the oldest folders of runs other than this one, until no more than so many are left.</summary>
    /// <param name="dataFolder">Where they are.</param>
    /// <param name="runId">The run that begins.</param>
    /// <param name="most">How many others stay.</param>
    /// <param name="log">Hears of each that goes, and of each that cannot.</param>
    public static void Bound(string dataFolder, long runId, int most, Action<string> log)
    {
        string own = KeptRun.FolderOf(dataFolder, runId);
        IEnumerable<DirectoryInfo> oldest = new DirectoryInfo(dataFolder).EnumerateDirectories($"{Prefix}*")
            .Where(folder => IsRun(folder.Name) && folder.FullName != own)
            .Select(folder => (Folder: folder, Written: LastWritten(folder)))
            .OrderByDescending(run => run.Written)
            .ThenBy(run => run.Folder.Name, StringComparer.Ordinal)
            .Skip(most)
            .Select(run => run.Folder);
        foreach (DirectoryInfo folder in oldest)
        {
            try
            {
                folder.Delete(recursive: true);
                log($"{folder.Name} was left by a run that nobody resumed, and is deleted: disttrain.node.kept-runs keeps {most} of them");
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
            {
                log($"{folder.Name} of a run that nobody resumed cannot be deleted: {refused.Message}");
            }
        }
    }

    /// <summary>Whatever else somebody keeps here is not ours to delete.</summary>
    private static bool IsRun(string name) => long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    private static DateTime LastWritten(DirectoryInfo folder) =>
        folder.EnumerateFileSystemInfos("*", Everything).Select(entry => entry.LastWriteTimeUtc).Append(folder.LastWriteTimeUtc).Max();
}
