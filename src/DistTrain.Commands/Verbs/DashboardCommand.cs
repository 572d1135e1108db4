using System.Globalization;
using System.Net;
using DistTrain.Commands.Dashboards;
using DistTrain.Commands.Runs;
using DistTrain.Numerics;

namespace DistTrain.Commands.Verbs;

/// <summary>What <c>dashboard</c> was given.</summary>
internal sealed record DashboardChoice(string? Runs, string? Bind, int? Port);

/// <summary>The verbs <c>dashboard</c> and <c>report</c>.</summary>
internal sealed class DashboardCommand(CommandHost host)
{
    /// <summary>Serves run folders until it is stopped.</summary>
    public int Serve(DashboardChoice choice)
    {
        IDashboard dashboard = Require(host);
        string shown = choice.Runs ?? "runs", runs = Path.GetFullPath(shown, host.WorkingFolder);
        if (choice.Runs is not null && !Directory.Exists(runs))
        {
            throw new InvalidInputException(
                $"--runs {shown}: {(File.Exists(runs) ? "this is a file" : "it does not exist")}; expected a folder that holds run folders");
        }

        DashboardOptions options = new(runs, AddressOf(choice.Bind), PortOf(choice.Port), Controls: false);
        using IDashboardServer server = dashboard.Serve(options);
        Announce(host.Out, server, options);
        host.Out.WriteLine("Ctrl-C ends it.");
        host.Stop.WaitHandle.WaitOne();
        return ExitCodes.Done;
    }

    /// <summary>Writes a run or study folder as one page.</summary>
    public int Report(string folder, string? file)
    {
        IDashboard dashboard = Require(host);
        string path = Path.GetFullPath(folder, host.WorkingFolder);
        if (!File.Exists(Path.Combine(path, "study.json")))
        {
            RunFolder.Open(folder, host.WorkingFolder);
        }

        string shown = file ?? Path.Combine(folder, "report.html");
        string page = dashboard.Report(path);
        try
        {
            RunFolder.WriteWhole(Path.GetFullPath(shown, host.WorkingFolder), page);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"--out {shown}: cannot be written ({refused.Message})", refused);
        }

        host.Out.WriteLine($"wrote {shown}");
        return ExitCodes.Done;
    }

    /// <summary>The program's dashboard. Throws <see cref="InvalidInputException"/> that says what is missing.</summary>
    public static IDashboard Require(CommandHost host)
    {
        IDashboard dashboard = host.Dashboard ?? throw new InvalidInputException("disttrain: this program has no dashboard");
        return dashboard.Missing is string missing ? throw new InvalidInputException($"disttrain: {missing}") : dashboard;
    }

    /// <summary>Tells where the pages are, and who can reach them.</summary>
    public static void Announce(TextWriter output, IDashboardServer server, DashboardOptions options)
    {
        output.WriteLine($"dashboard: {server.Address}");
        if (options.Controls)
        {
            output.WriteLine("dashboard: this address carries the token that lets its holder crash actors; keep it to yourself");
        }

        if (!IPAddress.IsLoopback(options.Address))
        {
            output.WriteLine($"dashboard: listening on {options.Address}: everyone who reaches this machine can read the runs; nothing is encrypted");
        }
    }

    /// <summary>An address to listen on.</summary>
    public static IPAddress AddressOf(string? given) => given is null
        ? IPAddress.Loopback
        : IPAddress.TryParse(given, out IPAddress? address)
            ? address
            : throw new InvalidInputException($"--bind {given}: expected an IP address of this machine, such as 127.0.0.1 or 0.0.0.0");

    /// <summary>A port to listen on.</summary>
    public static int? PortOf(int? given) => given is < 0 or > IPEndPoint.MaxPort
        ? throw new InvalidInputException(string.Create(CultureInfo.InvariantCulture, $"--port {given}: expected 0 (any) to {IPEndPoint.MaxPort}"))
        : given;
}
