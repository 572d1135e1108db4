using System.CommandLine;

namespace DistTrain.Commands.Verbs;

/// <summary>The verbs that show runs in a browser.</summary>
internal static class DashboardVerbs
{
    /// <summary>The verb <c>dashboard</c>.</summary>
    public static Verb Dashboard(CommandHost host)
    {
        Option<string?> runs = new("--runs") { HelpName = "folder", Description = "Folder that holds run folders. Default: runs." };
        Option<int?> port = new("--port") { HelpName = "number", Description = "Port to listen on; 0 for any. Default: 5170, or any where that is taken." };
        Option<string?> bind = new("--bind") { HelpName = "address", Description = "Address to listen on. Default: 127.0.0.1, which this machine alone reaches." };
        Verb command = new(
            "dashboard",
            "Shows run folders in a browser, and those of runs under way as they grow: runs, pipelines, actors, comparisons, studies.",
            ["disttrain dashboard", "disttrain dashboard --runs results --port 8080"]) { runs, port, bind };
        command.SetAction(result => new DashboardCommand(host).Serve(new DashboardChoice(
            result.GetValue(runs), result.GetValue(bind), result.GetValue(port))));
        return command;
    }

    /// <summary>The verb <c>report</c>.</summary>
    public static Verb Report(CommandHost host)
    {
        Argument<string> folder = new("run") { Description = "Run or study folder." };
        Option<string?> file = new("--out") { HelpName = "file", Description = "File to write. Default: report.html in that folder." };
        Verb command = new(
            "report",
            "Writes the pages of one run or study as a single HTML file that needs nothing else.",
            ["disttrain report runs/glyphs-20260101-120000", "disttrain report runs/glyphs-20260101-120000 --out glyphs.html"],
            makesFiles: true) { folder, file };
        command.SetAction(result => new DashboardCommand(host).Report(result.GetRequiredValue(folder), result.GetValue(file)));
        return command;
    }
}

/// <summary>What <c>train</c> was asked for besides training.</summary>
internal sealed record DashboardRequest(int? Port, bool Controls);

/// <summary>The options of <c>train</c> that show the run in a browser.</summary>
internal sealed class DashboardFlags
{
    private readonly Option<bool> _dashboard = new("--dashboard") { Description = "Shows the run in a browser while it lasts, on this machine alone." };
    private readonly Option<bool> _controls = new("--controls") { Description = "With --dashboard: its pages have buttons that crash, pause, slow down and suspect actors and cut links, for whoever has the token that is printed." };
    private readonly Option<int?> _port = new("--port") { HelpName = "number", Description = "With --dashboard: port to listen on; 0 for any." };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command command)
    {
        command.Add(_dashboard);
        command.Add(_controls);
        command.Add(_port);
    }

    /// <summary>What was asked for; null for no pages.</summary>
    public DashboardRequest? Read(ParseResult result)
    {
        bool wanted = result.GetValue(_dashboard);
        if (!wanted && (result.GetValue(_controls) || result.GetValue(_port) is not null))
        {
            throw new Numerics.InvalidInputException("--controls and --port belong to --dashboard; expected --dashboard as well, or neither");
        }

        return wanted ? new DashboardRequest(result.GetValue(_port), result.GetValue(_controls)) : null;
    }
}
