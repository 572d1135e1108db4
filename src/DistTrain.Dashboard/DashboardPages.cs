using DistTrain.Commands.Dashboards;
using DistTrain.Dashboard.Pages;
using DistTrain.Dashboard.Server;

namespace DistTrain.Dashboard;

/// <summary>DistTrain's pages, for the command line: a web server, and reports as single files.</summary>
public sealed class DashboardPages : IDashboard
{
    /// <inheritdoc/>
    public string? Missing => FrontEndFiles.Built is null ? FrontEndFiles.Missing : null;

    /// <inheritdoc/>
    public IDashboardServer Serve(DashboardOptions options) => new DashboardServer(options, Files());

    /// <inheritdoc/>
    public string Report(string folder) => ReportPage.Write(folder, Files());

    private static FrontEndFiles Files() => FrontEndFiles.Built ?? throw new InvalidOperationException(FrontEndFiles.Missing);
}
