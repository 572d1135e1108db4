using DistTrain.Commands.Runs;

namespace DistTrain.Commands.Dashboards;

/// <summary>The page that studies leave in their folder, where the program has pages.</summary>
internal static class FolderReport
{
    /// <summary>Writes <c>report.html</c> and returns how a sentence on the folder's files ends.</summary>
    public static string Write(CommandHost host, RunFolder folder)
    {
        if (host.Dashboard is not { Missing: null } dashboard)
        {
            return host.Dashboard is null ? "" : $". There is no page to look at: {host.Dashboard.Missing}";
        }

        RunFolder.WriteWhole(Path.Combine(folder.FullPath, "report.html"), dashboard.Report(folder.FullPath));
        return ", and report.html to look at";
    }
}
