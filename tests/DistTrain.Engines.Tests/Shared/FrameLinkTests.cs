using DistTrain.Engines.Shared;
using DistTrain.Protocol.Actors;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Messages;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>Who writes what is sent: the sender where that needs no waiting, else the link's thread; every message once and in its sender's order.</summary>
public sealed class FrameLinkTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly BufferPool _pool = new();
    private readonly FakeWire _wire = new();
    private readonly SteppingTime _time = new();
    private readonly List<FakeStream> _streams = [];
    private readonly FrameLink _link;

    // With every message, so that one that is given back twice or never is noticed.
    private readonly BufferHandle _small;

    public FrameLinkTests()
    {
        _link = new FrameLink(_ => Connect(), TimeSpan.FromMilliseconds(5), _pool, _time);
        _small = _pool.Rent(sizeof(long));
        _pool.Bytes(_small).Clear();
    }

    public void Dispose()
    {
        _link.Dispose();
        _pool.Live.ShouldBe(1);
        _pool.Release(_small);
        _pool.Live.ShouldBe(0);
        _pool.Dispose();
    }

    [Fact]
    public void TheFirstMessageIsTheThreadsWhichConnects()
    {
        _link.Send(Message(1));
        WaitForMessages(1);
        _wire.Writers.ShouldNotContain(Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void WhatIsSentWhileNobodyWritesIsWrittenWhenSendReturns()
    {
        Begin();
        for (int number = 1; number <= 20; number++)
        {
            _link.Send(Message(number));
            Messages().Count.ShouldBe(number);
        }

        _wire.Writers.ShouldAllBe(thread => thread == Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void WhatIsSentAfterOthersWithoutAPauseIsTheThreads()
    {
        Begin();
        _time.Step = 0;
        for (int number = 1; number <= 9; number++)
        {
            _link.Send(Message(number));
        }

        WaitForMessages(9);
        Messages().ShouldBe(Enumerable.Range(1, 9).Select(number => (long)number));

        // The message before them was the first of eight.
        int here = Environment.CurrentManagedThreadId;
        IReadOnlyList<int> writers = _wire.Writers;
        writers.Take(7).ShouldAllBe(thread => thread == here);
        writers.Skip(7).ShouldAllBe(thread => thread != here);
        writers.Count.ShouldBeGreaterThan(7);
    }

    [Fact]
    public void WhatIsGatheredIsWrittenAtOnceWhenItIsFlushedAndNotBefore()
    {
        Begin();
        Gather(1, 5);
        Messages().ShouldBeEmpty();
        _link.Flush();
        Messages().ShouldBe([1, 2, 3, 4, 5]);
        _wire.Writers.ShouldBe([Environment.CurrentManagedThreadId]);
        _link.Flush();
        _wire.Writers.Count.ShouldBe(1);
    }

    [Fact]
    public void SeveralAtOnceAreTheSendersEvenWithoutAPause()
    {
        Begin();
        _time.Step = 0;
        for (int first = 1; first < 40; first += 2)
        {
            Gather(first, 2);
            _link.Flush();
            Messages().Count.ShouldBe(first + 1);
        }

        _wire.Writers.ShouldAllBe(thread => thread == Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void MoreThanASenderWritesAtOnceIsTheThreads()
    {
        Begin();
        Gather(1, 200);
        _link.Flush();
        WaitForMessages(200);
        Messages().ShouldBe(Enumerable.Range(1, 200).Select(number => (long)number));
        _wire.Writers[0].ShouldBe(Environment.CurrentManagedThreadId);
        _wire.Writers[^1].ShouldNotBe(Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void OfSeveralThoseBeforeALargeTensorAreTheSendersAndTheRestIsTheThreads()
    {
        Begin();
        Gather(1, 2);
        _link.Gather(MessageOf(3, FrameWriter.LargeBufferBytes));
        Gather(4, 2);
        _link.Flush();
        WaitForMessages(5);
        Messages().ShouldBe([1, 2, 3, 4, 5]);
        _wire.Writers[0].ShouldBe(Environment.CurrentManagedThreadId);
        _wire.Writers.Skip(1).ShouldAllBe(thread => thread != Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void OfManyBytesASenderWritesAFewAtATime()
    {
        const int Count = 7, Bytes = 12 << 10;
        Begin();
        for (int number = 1; number <= Count; number++)
        {
            _link.Gather(MessageOf(number, Bytes));
        }

        _link.Flush();
        Messages().ShouldBe([1, 2, 3, 4, 5, 6, 7]);
        _wire.Writers.Count.ShouldBe(3, "three are more than 32 KiB");
        _wire.Writers.ShouldAllBe(thread => thread == Environment.CurrentManagedThreadId);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    [InlineData(false, 3)]
    public void WhatAStreamIsLostWithComesOnTheNextOneInItsOrderWhetherSenderOrThreadLosesIt(bool takesAtOnce, int together)
    {
        Begin();
        Volatile.Write(ref _wire.TakesAtOnce, takesAtOnce);
        Volatile.Write(ref _wire.Breaks, 1);
        Gather(1, together);
        _link.Flush();
        Gather(together + 1, together);
        _link.Flush();
        WaitForMessages(2 * together);
        Messages().ShouldBe(Enumerable.Range(1, 2 * together).Select(number => (long)number));
        _streams.Count.ShouldBe(2);
    }

    [Fact]
    public void WhereTheSenderWouldWaitTheThreadWrites()
    {
        Begin();
        Volatile.Write(ref _wire.TakesAtOnce, false);
        _link.Send(Message(1));
        WaitForMessages(1);
        _link.Send(Message(2));
        _link.Send(Message(3));
        WaitForMessages(3);
        Messages().ShouldBe([1, 2, 3]);
        _wire.Writers.ShouldNotContain(Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void ALargeTensorWithoutAPlaceAsideIsTheThreads()
    {
        Begin();
        _link.Send(MessageOf(1, FrameWriter.LargeBufferBytes));
        WaitForMessages(1);
        _wire.Writers.ShouldNotContain(Environment.CurrentManagedThreadId);
    }

    [Fact]
    public void WhatManySendArrivesOnceAndInOrder()
    {
        const int Senders = 3, Each = 5_000;
        Begin();
        Thread[] threads = [.. Enumerable.Range(0, Senders).Select(sender => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                _link.Gather(Message(((sender + 1) * Each) + i));
                if (i % 3 == 0 || i == Each - 1)
                {
                    _link.Flush();
                }

                // Now the socket is full and now it is not.
                Volatile.Write(ref _wire.TakesAtOnce, i % 7 != 0);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        WaitForMessages(Senders * Each);
        List<long> received = Messages();
        received.Count.ShouldBe(Senders * Each);
        for (int sender = 1; sender <= Senders; sender++)
        {
            received.Where(number => number / Each == sender).ShouldBe(Enumerable.Range(sender * Each, Each).Select(number => (long)number));
        }
    }

    [Fact]
    public void StreamsThatBreakAgainAndAgainStopNobody()
    {
        Begin();
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(sender => new Thread(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                _link.Send(Message(i));
                Volatile.Write(ref _wire.Breaks, i % 2);
                Volatile.Write(ref _wire.TakesAtOnce, i % 3 != sender);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        // Whoever writes first finds a broken stream.
        Volatile.Write(ref _wire.Breaks, 1);
        _link.Send(Message(1_000_000));
        _link.Send(Message(1_000_001));
        SpinWait.SpinUntil(() => Messages().Contains(1_000_001), s_patience).ShouldBeTrue();
    }

    private Envelope Message(long number)
    {
        _pool.Retain(_small);
        return Message(number, _small);
    }

    private Envelope MessageOf(long number, int bytes)
    {
        BufferHandle tensor = _pool.Rent(bytes);
        _pool.Bytes(tensor).Clear();
        return Message(number, tensor);
    }

    private static Envelope Message(long number, BufferHandle tensor) =>
        new(1, 1, new ActorId(0), 1, new ActorId(1), 1, 1, 1, new Weights(number, 0, tensor, default));

    private void Gather(int first, int count)
    {
        for (int number = first; number < first + count; number++)
        {
            _link.Gather(Message(number));
        }
    }

    private FakeStream Connect()
    {
        FakeStream stream = new(_wire);
        _streams.Add(stream);
        return stream;
    }

    /// <summary>Sends until the link is connected and its thread has stopped writing, so that this one writes; forgets all that.</summary>
    private void Begin()
    {
        SpinWait.SpinUntil(
            () =>
            {
                _link.Send(Message(0));
                return _wire.Writers is [.., int last] && last == Environment.CurrentManagedThreadId;
            },
            s_patience).ShouldBeTrue();
        _wire.Clear();
    }

    private void WaitForMessages(int count) => SpinWait.SpinUntil(() => Messages().Count >= count, s_patience).ShouldBeTrue($"{Messages().Count} of {count} messages came");

    private List<long> Messages()
    {
        using BufferPool pool = new();
        using FrameReader reader = new(new MemoryStream(_wire.Written()), pool);
        List<long> numbers = [];
        try
        {
            while (true)
            {
                Weights weights = (Weights)reader.Read(_ => { }).Message;
                pool.Release(weights.Buffer);
                numbers.Add(weights.Step);
            }
        }
        catch (EndOfStreamException)
        {
            return numbers;
        }
    }

    /// <summary>Between two looks at it so many microseconds pass.</summary>
    private sealed class SteppingTime : TimeProvider
    {
        private long _now;

        public int Step { get; set; } = 1_000;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Interlocked.Add(ref _now, Step);
    }
}
