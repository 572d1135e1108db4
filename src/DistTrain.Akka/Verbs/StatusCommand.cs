using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Clients;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Commands;

namespace DistTrain.Akka.Verbs;

/// <summary>The <c>status</c> verb: members, roles, placement, step and lag.</summary>
internal sealed class StatusCommand(CommandHost host)
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandHost host)
    {
        Option<string> cluster = new("--cluster")
        {
            HelpName = "host:port|file", Description = "A node of the cluster, or a cluster.conf.", DefaultValueFactory = _ => "127.0.0.1:4711",
        };
        Option<bool> json = new("--json") { Description = "Prints the report as JSON on standard output and nothing else." };
        Command command = new("status", "Shows a cluster: members, roles, who lives where, and how far the run is.") { cluster, json };
        command.SetAction(result => new StatusCommand(host).Execute(result.GetRequiredValue(cluster), result.GetValue(json)));
        return command;
    }

    /// <summary>Asks one node after the other; returns the exit code: 0 where one answered, else 3.</summary>
    public int Execute(string cluster, bool json)
    {
        ClusterTarget target = ClusterTarget.Of(cluster, null, host.WorkingFolder);
        SealSetup seal = new(target.Secret, line => host.Error.WriteLine($"status: {line}"), _ => { });
        using ActorSystem system = SystemConfig.Client(target.Host, seal, target.Tls);
        foreach (string seed in target.Seeds)
        {
            if (ClusterQuestions.StatusBytes(system, target.SystemOf(seed)) is byte[] report)
            {
                Show(report, json);
                return ExitCodes.Done;
            }

            host.Error.WriteLine($"status: {seed} does not answer");
        }

        return ExitCodes.Failed;
    }

    private void Show(byte[] bytes, bool json)
    {
        if (json)
        {
            host.Out.WriteLine(System.Text.Encoding.UTF8.GetString(bytes));
            return;
        }

        StatusReport report = JsonSerializer.Deserialize(bytes, NodeJson.Default.StatusReport)!;
        host.Out.WriteLine($"leader  {report.Node}");
        foreach (StatusMember member in report.Members)
        {
            string actors = member.Actors is { Count: > 0 } hosted ? $"  hosts {string.Join(", ", hosted)}" : "";
            host.Out.WriteLine($"member  {member.Address}  {member.State}  {string.Join(", ", member.Roles)}{actors}");
        }

        host.Out.WriteLine(report.Run is StatusRun run
            ? string.Create(CultureInfo.InvariantCulture, $"run     {run.Name}: step {run.Step} of {run.Steps}, last commit {run.Lag:F1} s ago, snapshot of step {run.SnapshotStep}, leader {run.Leader}")
            : "run     none");
        host.Out.WriteLine($"refused {report.Refusals}");
    }
}
