using System.Net.Sockets;
using System.Text.Json;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Tests.Support;
using DistTrain.Akka.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Clusters;

public sealed class HostileTests
{
    private const int Knocks = 3;

    private static readonly (string Stranger, string Refusal)[] Strangers =
    [
        ("garbage", "does not begin as a node"),
        ("an old wire version", "wire version 0"),
        ("an oversized message", "Adjusted frame length exceeds"),
        ("the wrong secret", "does not know the cluster's secret"),
        ("an unknown manifest", "no message has this manifest"),
    ];

    [Fact]
    public void StrangersAreRefusedWithOneLineEachAndTheTrainingGoesOn()
    {
        using TestCluster cluster = new(2);

        // It lasts until it is told to stop, whatever the strangers take.
        using NodeProcess client = cluster.BeginTraining(Experiments.Wide(epochs: 10_000));
        cluster.WaitForStep(5);
        foreach ((string stranger, string refusal) in Strangers)
        {
            for (int knock = 0; knock < Knocks; knock++)
            {
                Knock(cluster, stranger, refusal);
            }

            cluster.WaitForStep(cluster.Answer().Run!.Step + 5);
        }

        // Not SIGINT, which every process ignores that a shell has started in the background.
        client.Signal("TERM");
        JsonElement summary = cluster.Finish(client);
        summary.GetProperty("status").GetString().ShouldBe("stopped");
        summary.GetProperty("restarts").GetInt32().ShouldBe(0);
        summary.GetProperty("steps_redone").GetInt64().ShouldBe(0);
        cluster.Answer().Members.Select(member => member.State).ShouldBe(["up", "up"]);

        // Each stranger came several times to one node, and that node has one line about it.
        foreach ((string stranger, string refusal) in Strangers)
        {
            cluster.Nodes[0].Lines.Count(line => line.Contains(refusal, StringComparison.Ordinal)).ShouldBe(1, $"{stranger}: {string.Join('\n', cluster.Nodes[0].Lines)}");
            cluster.Nodes[1].Lines.ShouldNotContain(line => line.Contains(refusal, StringComparison.Ordinal) && stranger != "the wrong secret");
        }

        cluster.WaitFor(() => cluster.Status() is { Run: null }, "the cluster to be free");
        string experiment = Experiments.Small("{ name: backprop }");
        TestCluster.Weights(cluster.Train(experiment)).ShouldBe(cluster.OnThreads(experiment));
    }

    [Fact]
    public void WithoutASecretANodeStaysOnLoopback()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-akka-");
        File.WriteAllText(Path.Combine(folder.FullName, "cluster.conf"), "disttrain.node { host = \"10.1.2.3\", bind-host = \"0.0.0.0\" }");
        using NodeProcess node = NodeProcess.Start(folder.FullName, null, [], "node", "--config", "cluster.conf");
        node.WaitForExit(TestCluster.Patience).ShouldBeTrue();
        node.ExitCode.ShouldBe(2);
        node.Lines.ShouldContain(line => line.Contains("disttrain.node.host", StringComparison.Ordinal) && line.Contains(ClusterSecret.Variable, StringComparison.Ordinal));
        folder.Delete(recursive: true);
    }

    private static void Knock(TestCluster cluster, string stranger, string refusal)
    {
        int target = cluster.Ports[0];
        switch (stranger)
        {
            case "garbage":
                Send(target, Framed([.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 31))]));
                break;
            case "an old wire version":
                Send(target, Framed(OldHello()));
                break;
            case "an oversized message":
                // It says that it has two gigabytes.
                Send(target, [0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4]);
                break;
            case "the wrong secret":
                string folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, "stranger")).FullName;
                using (NodeProcess status = NodeProcess.Start(
                    folder, "another-secret-of-thirty-two-characters", [], "status", "--cluster", $"127.0.0.1:{target}"))
                {
                    status.WaitForExit(TestCluster.Patience).ShouldBeTrue();
                    status.ExitCode.ShouldBe(3);
                }

                break;
            default:
                SendUnknownManifest(cluster, target);
                break;
        }

        cluster.WaitFor(() => Says(cluster, refusal) > 0, $"{stranger} to be refused");
    }

    private static int Says(TestCluster cluster, string text) =>
        cluster.Nodes.Sum(node => node.Lines.Count(line => line.Contains(text, StringComparison.Ordinal)));

    private static byte[] OldHello()
    {
        byte[] hello = new SealedChannel(ClusterSecret.Of(TestCluster.Secret), connects: true).Hello();
        hello[4] = 0;
        return hello;
    }

    private static byte[] Framed(byte[] payload) => [.. BitConverter.GetBytes(payload.Length), .. payload];

    private static void Send(int port, byte[] bytes)
    {
        using TcpClient client = new("127.0.0.1", port);
        client.GetStream().Write(bytes);
        client.ReceiveTimeout = 2000;
        try
        {
            while (client.GetStream().Read(new byte[256]) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Closed, or said nothing more: both are no harm.
        }
    }

    private static void SendUnknownManifest(TestCluster cluster, int port)
    {
        SealSetup seal = new(ClusterSecret.Of(TestCluster.Secret), _ => { }, _ => { });
        using ActorSystem system = SystemConfig.Client("127.0.0.1", seal, null);
        ActorSelection node = system.ActorSelection($"{SeedAddress.SystemOf("disttrain", $"127.0.0.1:{port}")}/user/{NodeActor.Name}");
        node.Tell(new PackedEnvelope("activation/999", [1, 2, 3]));
        cluster.WaitFor(() => Says(cluster, "no message has this manifest") > 0, "the unknown manifest");
        system.Terminate().Wait(TestCluster.Patience);
    }
}
