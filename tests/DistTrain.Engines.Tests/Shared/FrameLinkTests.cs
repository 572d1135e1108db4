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
    private readonly Wire _wire = new();
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
        BufferHandle tensor = _pool.Rent(FrameWriter.LargeBufferBytes);
        _pool.Bytes(tensor).Clear();
        _link.Gather(Message(3, tensor));
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
            BufferHandle tensor = _pool.Rent(Bytes);
            _pool.Bytes(tensor).Clear();
            _link.Gather(Message(number, tensor));
        }

        _link.Flush();
        Messages().ShouldBe([1, 2, 3, 4, 5, 6, 7]);
        _wire.Writers.Count.ShouldBe(3, "three are more than 32 KiB");
        _wire.Writers.ShouldAllBe(thread => thread == Environment.CurrentManagedThreadId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void OfSeveralThatAStreamIsLostWithNoneIsMissingAndTheirOrderStays(bool takesAtOnce)
    {
        Begin();
        Volatile.Write(ref _wire.TakesAtOnce, takesAtOnce);
        Volatile.Write(ref _wire.Breaks, 1);
        Gather(1, 3);
        _link.Flush();
        Gather(4, 3);
        _link.Flush();
        WaitForMessages(6);
        Messages().ShouldBe([1, 2, 3, 4, 5, 6]);
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
        BufferHandle tensor = _pool.Rent(FrameWriter.LargeBufferBytes);
        _pool.Bytes(tensor).Clear();
        _link.Send(Message(1, tensor));
        WaitForMessages(1);
        _wire.Writers.ShouldNotContain(Environment.CurrentManagedThreadId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AMessageThatAStreamIsLostWithComesOnTheNextOneWhetherSenderOrThreadLosesIt(bool takesAtOnce)
    {
        Begin();
        Volatile.Write(ref _wire.TakesAtOnce, takesAtOnce);
        Volatile.Write(ref _wire.Breaks, 1);
        _link.Send(Message(1));
        WaitForMessages(1);
        _link.Send(Message(2));
        WaitForMessages(2);
        Messages().ShouldBe([1, 2]);
        _streams.Count.ShouldBe(2);
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

    /// <summary>What went over all streams, and how the next write goes.</summary>
    private sealed class Wire
    {
        public bool TakesAtOnce = true;
        public int Breaks;
        private readonly List<byte> _bytes = [];
        private readonly List<int> _writers = [];

        public IReadOnlyList<int> Writers
        {
            get
            {
                lock (_bytes)
                {
                    return [.. _writers];
                }
            }
        }

        public byte[] Written()
        {
            lock (_bytes)
            {
                return [.. _bytes];
            }
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            if (Interlocked.Exchange(ref Breaks, 0) > 0)
            {
                throw new IOException("the other process is gone");
            }

            lock (_bytes)
            {
                _bytes.AddRange(bytes);
                _writers.Add(Environment.CurrentManagedThreadId);
            }
        }

        public void Clear()
        {
            lock (_bytes)
            {
                _bytes.Clear();
                _writers.Clear();
            }
        }
    }

    private sealed class FakeStream(Wire wire) : Stream, IPromptStream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public bool TakesAtOnce(int bytes) => Volatile.Read(ref wire.TakesAtOnce);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => wire.Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => wire.Write(buffer);
    }
}
