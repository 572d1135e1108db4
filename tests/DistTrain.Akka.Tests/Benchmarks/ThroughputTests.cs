using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using DistTrain.Akka.Configuration;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Tests.Support;
using DistTrain.Akka.Wire;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using Xunit;
using Xunit.Abstractions;
using Envelope = DistTrain.Protocol.Messages.Envelope;

namespace DistTrain.Akka.Tests.Benchmarks;

/// <summary>Figures, not verdicts: run with DISTTRAIN_BENCHMARK=1 and a logger that prints output, on a machine that does nothing else.</summary>
public sealed class ThroughputTests(ITestOutputHelper output)
{
    private const string Variable = "DISTTRAIN_BENCHMARK";
    private const long Window = 64L << 20;
    private const long BytesEach = 1L << 30;
    private static readonly ClusterSecret Secret = ClusterSecret.Of(TestCluster.Secret);

    [SkippableFact]
    public void TensorsOverStreamsBesideRawTcp()
    {
        Skip.IfNot(Environment.GetEnvironmentVariable(Variable) == "1", $"{Variable}=1 measures throughput");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("disttrain-tls-");
        TlsFiles tls = TestCertificates.Write(folder.FullName).Read();
        foreach (int size in new[] { 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20 })
        {
            double raw = Best(() => RawTcp(size)), stream = Best(() => Stream(size, null)), secured = Best(() => Stream(size, tls));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size >> 10,6} KB: raw TCP {raw,6:F0} MB/s, stream {stream,6:F0} MB/s ({stream / raw:F2}), with TLS {secured,6:F0} MB/s ({secured / raw:F2})"));
        }

        folder.Delete(recursive: true);
    }

    [SkippableFact]
    public async Task ASmallProbeBesideAStreamAtFullLoad()
    {
        Skip.IfNot(Environment.GetEnvironmentVariable(Variable) == "1", $"{Variable}=1 measures round trips");
        using ActorSystem one = SystemConfig.Client("127.0.0.1", new SealSetup(Secret, _ => { }, _ => { }), null);
        using ActorSystem other = SystemConfig.Client("127.0.0.1", new SealSetup(Secret, _ => { }, _ => { }), null);
        one.ActorOf(Props.Create<Echo>(), "echo");
        ActorSelection echo = other.ActorSelection($"{((ExtendedActorSystem)one).Provider.DefaultAddress}/user/echo");
        await echo.Ask<HostedRun>(new AskRun(), TestCluster.Patience);
        using CancellationTokenSource enough = new();
        Task load = Task.Factory.StartNew(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    Stream(4 << 20, null);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        List<double> times = [];
        for (int probe = 0; probe < 500; probe++)
        {
            long start = Stopwatch.GetTimestamp();
            await echo.Ask<HostedRun>(new AskRun(), TestCluster.Patience);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            await Task.Delay(5);
        }

        await enough.CancelAsync();
        await load;
        times.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"probe under load: median {times[250]:F2} ms, p99 {times[495]:F2} ms, most {times[^1]:F2} ms"));
    }

    private static double Best(Func<double> measure) => Enumerable.Range(0, 3).Max(_ => measure());

    private static double RawTcp(int size)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        Thread reader = new(() =>
        {
            using Socket accepted = listener.Accept();
            byte[] buffer = new byte[size];
            while (accepted.Receive(buffer) > 0)
            {
            }
        });
        reader.Start();
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(listener.LocalEndPoint!);
        byte[] bytes = new byte[size];
        long start = Stopwatch.GetTimestamp();
        for (long sent = 0; sent < BytesEach; sent += size)
        {
            socket.Send(bytes);
        }

        socket.Shutdown(SocketShutdown.Send);
        reader.Join();
        return BytesEach / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    private static double Stream(int size, TlsFiles? tls)
    {
        using BufferPool from = new(), to = new();
        TicketOffice tickets = new(TimeProvider.System);
        using ManualResetEventSlim done = new();
        long expected = BytesEach / size;
        using StreamListener listener = new(new IPEndPoint(IPAddress.Loopback, 0), Secret, tls, tickets, Window, (_, stream) => Read(stream, to, expected, done), _ => { });
        StreamConnector connector = new(Secret, tls, Window);
        BufferHandle tensor = from.Rent(size);
        using FrameLink link = new(ending => connector.Open("127.0.0.1", listener.Port, tickets.Issue(1), ending), StreamLimits.ReconnectCap, from);
        long start = Stopwatch.GetTimestamp();
        for (long message = 1; message <= expected; message++)
        {
            from.Retain(tensor);
            link.Send(new Envelope(1, 1, new ActorId(1), 1, new ActorId(2), 1, message, 0, new Signal(message, 0, tensor)));
        }

        done.Wait(TestCluster.Patience);
        return BytesEach / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
    }

    private static void Read(Stream stream, BufferPool pool, long expected, ManualResetEventSlim done)
    {
        using FrameReader frames = new(stream, pool);
        for (long message = 0; message < expected; message++)
        {
            pool.Release(MessageBuffers.First(frames.Read(_ => { }).Message));
        }

        done.Set();
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => Receive<AskRun>(_ => Sender.Tell(new HostedRun(0, [])));
    }
}
