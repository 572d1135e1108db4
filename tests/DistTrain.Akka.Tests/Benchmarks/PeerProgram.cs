using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Tests.Support;
using DistTrain.Akka.Verbs;
using DistTrain.Commands.Runs;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;

namespace DistTrain.Akka.Tests.Benchmarks;

/// <summary>
/// The second process of <see cref="ThroughputTests"/>: a node of a cluster that takes tensors over streams with and without TLS, and bytes
/// over bare TCP. It is told on standard input how many messages come next, and says there when it has them.
/// </summary>
internal static class PeerProgram
{
    /// <summary>The window of its streams.</summary>
    public const long Window = 64L << 20;

    private static long s_expected;

    /// <param name="args">A folder with <c>cluster.conf</c> and certificates; nothing where the test runner asks.</param>
    public static int Main(string[] args)
    {
        if (args is not [string folder])
        {
            return 0;
        }

        NodeSettings settings = ClusterFile.Read(Path.Combine(folder, "cluster.conf"), "cluster.conf");
        ClusterSecret secret = ClusterSecret.Of(TestCluster.Secret);
        SealSetup seal = new(secret, Say, Say);
        using NodeHost host = new(settings, seal, null, ClusterExperiment.Read, Say);
        using ActorSystem system = SystemConfig.Node(settings, seal, null);
        NodeCommand.Start(system, host);
        using BufferPool pool = new();
        TicketOffice tickets = new(TimeProvider.System);
        IPEndPoint any = new(IPAddress.Loopback, 0);
        using StreamListener plain = new(any, secret, null, tickets, Window, (_, stream) => Read(stream, pool), Say);
        using StreamListener secured = new(any, secret, TestCertificates.At(folder).Read(), tickets, Window, (_, stream) => Read(stream, pool), Say);
        using Socket bare = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bare.Bind(any);
        bare.Listen(1);
        new Thread(() => Sink(bare)) { IsBackground = true, Name = "bare TCP" }.Start();
        Say($"ports {((IPEndPoint)bare.LocalEndPoint!).Port} {plain.Port} {secured.Port}");
        while (Console.In.ReadLine() is string line)
        {
            s_expected = long.Parse(line, CultureInfo.InvariantCulture);
            Say($"ticket {Convert.ToHexString(tickets.Issue(1))}");
        }

        return 0;
    }

    private static void Say(string line)
    {
        lock (Console.Out)
        {
            Console.Out.WriteLine(line);
        }
    }

    private static void Read(Stream stream, BufferPool pool)
    {
        using FrameReader frames = new(stream, pool);
        for (long message = 0; message < s_expected; message++)
        {
            pool.Release(MessageBuffers.First(frames.Read(_ => { }).Message));
        }

        Say("done");
    }

    private static void Sink(Socket listener)
    {
        byte[] buffer = new byte[1 << 20];
        while (true)
        {
            using Socket accepted = listener.Accept();
            while (accepted.Receive(buffer) > 0)
            {
            }

            Say("done");
        }
    }
}
