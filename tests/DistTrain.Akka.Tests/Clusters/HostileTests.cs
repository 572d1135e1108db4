using System.Net.Sockets;
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
    [Fact]
    public void StrangersAreRefusedOnceInTheLogAndTheClusterGoesOn()
    {
        using TestCluster cluster = new(2);
        int target = cluster.Ports[0];
        for (int knock = 0; knock < 3; knock++)
        {
            Send(target, [.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 31))]);
            Send(target, Framed([9, 9, 9, 9, 9]));
            Send(target, Framed(OldHello()));
        }

        using (NodeProcess stranger = Join(cluster, "another-secret-of-thirty-two-characters"))
        {
            cluster.WaitFor(() => Says(cluster, "does not know the cluster's secret") > 0, "the wrong secret to be refused");
        }

        SendUnknownManifest(cluster, target);
        cluster.WaitFor(() => Says(cluster, "no message has this manifest") > 0, "the unknown manifest to be refused");
        cluster.WaitFor(() => Says(cluster, "wire version 0") > 0, "the old version to be refused");
        cluster.WaitFor(() => Says(cluster, "does not begin as a node") > 0, "garbage to be refused");
        Says(cluster, "wire version 0").ShouldBe(1);
        Says(cluster, "does not begin as a node").ShouldBe(1);
        Says(cluster, "does not know the cluster's secret").ShouldBeLessThanOrEqualTo(2);

        StatusReport status = cluster.Status()!;
        status.Members.Select(member => member.State).ShouldBe(["up", "up"]);
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

    private static int Says(TestCluster cluster, string text) =>
        cluster.Nodes.Sum(node => node.Lines.Count(line => line.Contains(text, StringComparison.Ordinal)));

    private static NodeProcess Join(TestCluster cluster, string secret)
    {
        string folder = Path.Combine(cluster.Folder, "stranger");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "cluster.conf"), cluster.ConfigOf(TestCluster.FreePorts(1)[0]));
        return NodeProcess.Start(folder, secret, [], "node", "--config", "cluster.conf");
    }

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
        node.Tell(new PackedEnvelope("activation/1", [1, 2, 3]));
        cluster.WaitFor(() => Says(cluster, "no message has this manifest") > 0, "the unknown manifest");
        system.Terminate().Wait(TestCluster.Patience);
    }
}
