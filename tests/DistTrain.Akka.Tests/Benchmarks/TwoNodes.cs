using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Nodes;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Tests.Support;
using DistTrain.Akka.Verbs;
using DistTrain.Akka.Wire;
using DistTrain.Commands.Runs;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using AkkaCluster = Akka.Cluster.Cluster;
using Envelope = DistTrain.Protocol.Messages.Envelope;

namespace DistTrain.Akka.Tests.Benchmarks;

/// <summary>Two nodes of one cluster in two processes: this one, which sends, and <see cref="PeerProgram"/>, which takes.</summary>
internal sealed class TwoNodes : IDisposable
{
    private static readonly ClusterSecret Secret = ClusterSecret.Of(TestCluster.Secret);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("disttrain-two-");
    private readonly BlockingCollection<string> _said = [];
    private readonly Process _peer;
    private readonly NodeHost _host;
    private readonly ActorSystem _system;
    private readonly TlsFiles _tls;
    private readonly int[] _ports;
    private readonly ActorSelection _other;

    public TwoNodes()
    {
        int[] control = TestPorts.Take(2);
        string[] folders = [.. control.Select((port, node) => Write(port, control[0], node))];
        _tls = TestCertificates.Write(folders[1]).Read();
        NodeSettings settings = ClusterFile.Read(Path.Combine(folders[0], "cluster.conf"), "cluster.conf");
        SealSetup seal = new(Secret, Notices.Add, Notices.Add);
        _host = new NodeHost(settings, seal, null, ClusterExperiment.Read, Notices.Add);
        _system = SystemConfig.Node(settings, seal, null);
        AkkaCluster cluster = NodeCommand.Start(_system, _host);
        _peer = new Process
        {
            StartInfo = new ProcessStartInfo("dotnet", ["exec", typeof(TwoNodes).Assembly.Location, folders[1]])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false,
            },
        };
        _peer.OutputDataReceived += (_, line) => _said.Add(line.Data ?? "");
        _peer.Start();
        _peer.BeginOutputReadLine();
        _ports = [.. Await("ports ").Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture))];
        _other = _system.ActorSelection($"{SeedAddress.SystemOf(settings.Cluster, $"127.0.0.1:{control[1]}")}/user/{NodeActor.Name}");
        SpinWait.SpinUntil(() => cluster.State.Members.Count(member => member.Status == MemberStatus.Up) == 2, TestCluster.Patience);
        _system.ActorOf(Props.Create(() => new Watcher(Suspected)));
    }

    /// <summary>What this node has said.</summary>
    public ConcurrentBag<string> Notices { get; } = [];

    /// <summary>Members that were suspected since the two were up.</summary>
    public ConcurrentBag<string> Suspected { get; } = [];

    /// <summary>MB/s of bare TCP.</summary>
    public double Bare(int size, long bytes)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, _ports[0]);
        byte[] message = new byte[size];
        long start = Stopwatch.GetTimestamp();
        for (long sent = 0; sent < bytes; sent += size)
        {
            socket.Send(message);
        }

        socket.Shutdown(SocketShutdown.Send);
        Await("done");
        return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    /// <summary>MB/s of tensors over a stream.</summary>
    public double Stream(int size, long bytes, bool secured)
    {
        long messages = bytes / size;
        _peer.StandardInput.WriteLine(messages.ToString(CultureInfo.InvariantCulture));
        _peer.StandardInput.Flush();
        byte[] ticket = Convert.FromHexString(Await("ticket "));
        using BufferPool pool = new();
        StreamConnector connector = new(Secret, secured ? _tls : null, PeerProgram.Window);
        BufferHandle tensor = pool.Rent(size);
        using FrameLink link = new(ending => connector.Open("127.0.0.1", _ports[secured ? 2 : 1], ticket, ending), StreamLimits.ReconnectCap, pool);
        long start = Stopwatch.GetTimestamp();
        for (long message = 1; message <= messages; message++)
        {
            pool.Retain(tensor);
            link.Send(new Envelope(1, 1, new ActorId(1), 1, new ActorId(2), 1, message, 0, new Signal(message, 0, tensor)));
        }

        Await("done");
        return bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    /// <summary>Milliseconds of a small question to the other node and its answer, by control messages.</summary>
    public async Task<double> ProbeAsync()
    {
        long start = Stopwatch.GetTimestamp();
        await _other.Ask<HostedRun>(new AskRun(), TestCluster.Patience);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public void Dispose()
    {
        _peer.Kill();
        _peer.WaitForExit();
        _peer.Dispose();
        _host.Dispose();
        _system.Terminate().Wait(TestCluster.Patience);
        _root.Delete(recursive: true);
    }

    private string Write(int port, int seed, int node)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_root.FullName, $"node-{node}")).FullName;
        File.WriteAllText(Path.Combine(folder, "cluster.conf"), $$"""
            disttrain {
              node { host = "127.0.0.1", port = {{port}}, data-dir = "data", compute-threads = 1 }
              cluster { seeds = ["127.0.0.1:{{seed}}"] }
            }
            """);
        return folder;
    }

    /// <summary>The rest of the next line that begins so.</summary>
    private string Await(string begins)
    {
        while (_said.TryTake(out string? line, TestCluster.Patience))
        {
            if (line.StartsWith(begins, StringComparison.Ordinal))
            {
                return line[begins.Length..];
            }
        }

        throw new TimeoutException($"the other node does not say '{begins}'");
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(ConcurrentBag<string> suspected)
        {
            AkkaCluster.Get(Context.System).Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.UnreachableMember));
            Receive<ClusterEvent.UnreachableMember>(lost => suspected.Add(lost.Member.Address.ToString()));
        }
    }
}
