using System.CommandLine;
using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using DistTrain.Akka.Clients;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Leading;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Commands;
using DistTrain.Commands.Runs;
using DistTrain.Numerics;
using AkkaCluster = Akka.Cluster.Cluster;

namespace DistTrain.Akka.Verbs;

/// <summary>The <c>node</c> verb: hosts actors as a member of a cluster until it is told to leave.</summary>
internal sealed class NodeCommand(CommandHost host)
{
    private static readonly TimeSpan LeaveFor = TimeSpan.FromSeconds(20);

    /// <summary>The verb.</summary>
    public static Command Create(CommandHost host)
    {
        Option<string> config = new("--config") { HelpName = "file", Description = "This node's settings.", DefaultValueFactory = _ => "cluster.conf" };
        Command command = new("node", "Takes part in a cluster: hosts actors of the runs that are submitted to it. Ctrl-C leaves in order.") { config };
        command.SetAction(result => new NodeCommand(host).Execute(result.GetRequiredValue(config)));
        return command;
    }

    /// <summary>Runs the node; returns the exit code.</summary>
    public int Execute(string config)
    {
        NodeSettings settings = ClusterFile.Read(Path.GetFullPath(config, host.WorkingFolder), config);
        ClusterSecret secret = ClusterSecret.FromEnvironment();
        if (!secret.IsSet && !(SeedAddress.IsLoopback(settings.Host) && SeedAddress.IsLoopback(settings.BindHost)))
        {
            throw new InvalidInputException(
                $"{config}: disttrain.node.host: {settings.Host} can be reached from other machines, and {ClusterSecret.Variable} is not set; "
                + "expected a secret in the environment (openssl rand -hex 32, the same on every node), or 127.0.0.1");
        }

        TlsFiles? tls = ClusterTarget.TlsOf(settings);
        ListenAddress.Check(settings, config);
        MakeDataFolder(settings, config);
        SealSetup seal = new(secret, Log, Log);
        using NodeHost node = new(settings, seal, tls, ClusterExperiment.Read, Log);
        using IDisposable? telemetry = NodeTelemetry.Export(settings, node);
        using ActorSystem system = Make(settings, seal, tls, config);
        return Serve(system, node);
    }

    private static void MakeDataFolder(NodeSettings settings, string config)
    {
        try
        {
            Directory.CreateDirectory(settings.DataFolder);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{config}: disttrain.node.data-dir: {settings.DataFolder} cannot be made; expected a folder that this user may write", refused);
        }
    }

    private static ActorSystem Make(NodeSettings settings, SealSetup seal, TlsFiles? tls, string config)
    {
        try
        {
            return SystemConfig.Node(settings, seal, tls);
        }
        catch (Exception wrong) when (!settings.Akka.IsEmpty && wrong is not (OutOfMemoryException or InvalidInputException))
        {
            // Akka.NET has an exception of its own for every setting; the innermost says most.
            throw new InvalidInputException($"{config}: akka: Akka.NET cannot start with this section: {wrong.GetBaseException().Message.TrimEnd('.')}; expected settings as its reference has them", wrong);
        }
    }

    /// <summary>Starts a node's actors and has it join its cluster.</summary>
    internal static AkkaCluster Start(ActorSystem system, NodeHost node)
    {
        if (node.Settings.Roles.Contains(RoleNames.Coordinator))
        {
            system.ActorOf(
                ClusterSingletonManager.Props(
                    Props.Create(() => new LeaderActor(node)), PoisonPill.Instance, ClusterSingletonManagerSettings.Create(system).WithRole(RoleNames.Coordinator)),
                LeaderActor.Name);
        }

        IActorRef leader = system.ActorOf(
            ClusterSingletonProxy.Props($"/user/{LeaderActor.Name}", ClusterSingletonProxySettings.Create(system).WithRole(RoleNames.Coordinator)), "leader-proxy");
        system.ActorOf(Props.Create(() => new NodeActor(node, leader)), NodeActor.Name);
        AkkaCluster cluster = AkkaCluster.Get(system);
        if (node.Settings.Seeds.Count == 0)
        {
            cluster.Join(cluster.SelfAddress);
        }

        return cluster;
    }

    private int Serve(ActorSystem system, NodeHost node)
    {
        AkkaCluster cluster = Start(system, node);
        cluster.RegisterOnMemberUp(() => Log($"is a member as {cluster.SelfAddress} with the roles {string.Join(", ", node.Settings.Roles)}"));
        Log($"listens on {cluster.SelfAddress}");
        using CancellationTokenRegistration leaving = host.Stop.Register(() => cluster.LeaveAsync().Wait(LeaveFor));
        system.WhenTerminated.Wait();
        if (host.Stop.IsCancellationRequested)
        {
            return ExitCodes.Done;
        }

        Log("was removed from the cluster, or cut off from most of it, and ends; start it again to join anew");
        return ExitCodes.Failed;
    }

    private void Log(string line)
    {
        lock (host)
        {
            host.Error.WriteLine($"node: {line}");
        }
    }
}
