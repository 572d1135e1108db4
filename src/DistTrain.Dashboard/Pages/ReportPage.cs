using DistTrain.Dashboard.Folders;
using DistTrain.Dashboard.Server;

namespace DistTrain.Dashboard.Pages;

/// <summary>A run or study folder as one file.</summary>
internal static class ReportPage
{
    /// <summary>The whole page.</summary>
    public static string Write(string folder, FrontEndFiles files)
    {
        string full = Path.TrimEndingDirectorySeparator(folder);
        RunViews views = new(new RunCatalog(Path.GetDirectoryName(full) ?? full));
        StudyView? study = StudyFolder.Read(full);
        return PageShell.Whole(files, JsonPages.Write(new
        {
            run = RunDetails.Read(full, live: null),
            metrics = study is null ? views.Metrics(full) : null,
            pipeline = study is null ? views.Pipeline(full) : null,
            study,
        }));
    }
}
