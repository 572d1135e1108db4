using System.Net;
using DistTrain.Akka.Security;
using DistTrain.Akka.Streams;
using DistTrain.Akka.Tests.Support;
using Shouldly;
using Xunit;

namespace DistTrain.Akka.Tests.Streams;

public sealed class StreamTests
{
    private const long Window = 1 << 20;
    private static readonly ClusterSecret Secret = ClusterSecret.Of(TestCluster.Secret);

    [Fact]
    public void ATicketOpensAStreamOnce()
    {
        TicketOffice tickets = new(TimeProvider.System);
        byte[] ticket = tickets.Issue(runId: 5);
        tickets.Redeem(ticket).ShouldBe(5);
        tickets.Redeem(ticket).ShouldBeNull();
        tickets.Redeem(new byte[StreamLimits.TicketBytes]).ShouldBeNull();
    }

    [Fact]
    public void MoreThanAWindowOfBytesPassesInOrder()
    {
        TicketOffice tickets = new(TimeProvider.System);
        byte[] sent = new byte[10 * Window];
        for (int i = 0; i < sent.Length; i++)
        {
            sent[i] = (byte)(i * 7919 >> 3);
        }

        byte[] received = new byte[sent.Length];
        using ManualResetEventSlim done = new();
        using StreamListener listener = new(
            new IPEndPoint(IPAddress.Loopback, 0), Secret, null, tickets, Window, (_, stream) =>
            {
                stream.ReadExactly(received);
                done.Set();
            }, _ => { });
        using Stream stream = new StreamConnector(Secret, null, Window).Open("127.0.0.1", listener.Port, tickets.Issue(1), CancellationToken.None);
        stream.Write(sent);
        done.Wait(TestCluster.Patience).ShouldBeTrue();
        received.AsSpan().SequenceEqual(sent).ShouldBeTrue();
    }

    [Fact]
    public void AStreamWithoutTheSecretOrAGoodTicketIsRefused()
    {
        TicketOffice tickets = new(TimeProvider.System);
        List<string> refusals = [];
        using SemaphoreSlim refused = new(0);
        using StreamListener listener = new(
            new IPEndPoint(IPAddress.Loopback, 0), Secret, null, tickets, Window, (_, _) => throw new InvalidOperationException("Nobody may read."), reason =>
            {
                lock (refusals)
                {
                    refusals.Add(reason);
                }

                refused.Release();
            });
        ClusterSecret wrong = ClusterSecret.Of("fedcba9876543210fedcba9876543210");
        Should.Throw<IOException>(() => new StreamConnector(wrong, null, Window).Open("127.0.0.1", listener.Port, tickets.Issue(1), CancellationToken.None));
        refused.Wait(TestCluster.Patience).ShouldBeTrue();
        using (new StreamConnector(Secret, null, Window).Open("127.0.0.1", listener.Port, new byte[StreamLimits.TicketBytes], CancellationToken.None))
        {
            refused.Wait(TestCluster.Patience).ShouldBeTrue();
        }

        refusals.ShouldContain(reason => reason.Contains("ticket", StringComparison.Ordinal));
    }

    [Fact]
    public void AChunkThatIsMissingEndsTheStreamAtBothEnds()
    {
        List<long> credits = [];
        using ChunkInput input = new(credits.Add);
        input.OnChunk(1, [1, 2]);
        input.OnChunk(3, [5, 6]);
        credits.ShouldBe([-1L]);
        byte[] read = new byte[8];
        input.Read(read).ShouldBe(2);
        input.Read(read).ShouldBe(0);

        using ChunkOutput output = new((_, _) => { }, window: 4, () => { });
        output.OnCredit(-1);
        Should.Throw<IOException>(() => output.Write([1]));
    }

    [Fact]
    public void AStreamOfChunksEndsWithItsWriterOrWithItsRun()
    {
        TicketOffice tickets = new(TimeProvider.System);
        ChunkDesk writing = new(), reading = new();
        using SemaphoreSlim ended = new(0);
        long received = 0;
        ChunkOutput Open(long runId) => writing.Open(tickets.Issue(runId), window: 4, chunk => reading.OnChunk(chunk, tickets, writing.OnCredit, (_, stream) =>
        {
            stream.CopyTo(Stream.Null);
            Interlocked.Increment(ref received);
            ended.Release();
        }));

        using (ChunkOutput output = Open(1))
        {
            output.Write([1, 2, 3]);
        }

        ended.Wait(TestCluster.Patience).ShouldBeTrue("Its writer has closed it.");
        using ChunkOutput killed = Open(2);
        killed.Write([1, 2, 3]);
        using (ChunkOutput living = Open(3))
        {
            living.Write([1, 2, 3]);
            reading.End(runId: 2);
            ended.Wait(TestCluster.Patience).ShouldBeTrue("Its run is not here any more.");
            Interlocked.Read(ref received).ShouldBe(2, "The third stream belongs to another run.");
        }

        ended.Wait(TestCluster.Patience).ShouldBeTrue("Every reader has ended before what it tells is disposed of.");
    }

    [Fact]
    public void TheOldestTicketMakesRoomForTheNewest()
    {
        TicketOffice tickets = new(TimeProvider.System);
        byte[] first = tickets.Issue(1), second = tickets.Issue(1);
        for (int i = 2; i <= StreamLimits.TicketsMax; i++)
        {
            tickets.Issue(1);
        }

        tickets.Redeem(first).ShouldBeNull();
        tickets.Redeem(second).ShouldBe(1);
    }

    [Fact]
    public void ChunksStopAtTheWindowUntilTheyAreTaken()
    {
        List<long> sent = [];
        using ChunkOutput output = new((sequence, _) => sent.Add(sequence), window: 8, () => { });
        output.OnCredit(2);
        output.Write(new byte[10 * StreamLimits.ChunkBytes]);
        sent.Count.ShouldBe(10);
    }
}
