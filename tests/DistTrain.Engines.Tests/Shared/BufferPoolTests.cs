using DistTrain.Conformance.Support;
using DistTrain.Engines.Shared;
using DistTrain.Protocol;
using DistTrain.Protocol.Jobs;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Shared;

public sealed class BufferPoolTests
{
    [Fact]
    public void ABufferIsAlignedWritableAndOfTheSizeAskedFor()
    {
        using BufferPool pool = new();
        for (int bytes = 0; bytes <= 5_000; bytes += 37)
        {
            BufferHandle buffer = pool.Rent(bytes);
            pool.Length(buffer).ShouldBe(bytes);
            pool.Bytes(buffer).Length.ShouldBe(bytes);
            pool.Bytes(buffer).Fill(0xA5);
            unsafe
            {
                fixed (byte* start = pool.Bytes(buffer))
                {
                    ((nint)start % 64).ShouldBe(0);
                }
            }
        }
    }

    [Fact]
    public void RoomBehindABufferIsItsOwnAndNoPartOfIt()
    {
        using BufferPool pool = new();
        for (int values = 0; values <= 300; values += 7)
        {
            BufferHandle buffer = pool.Rent(values * sizeof(float), 48 * sizeof(float)), next = pool.Rent(values * sizeof(float), 48 * sizeof(float));
            foreach (BufferHandle one in (BufferHandle[])[buffer, next])
            {
                pool.View<float>(one).Span.Fill(1);
                pool.Room<float>(one, 0, 48).Span.Fill(2);
            }

            pool.Room<float>(buffer, 16, 32).Span.Fill(3);
            pool.Length(buffer).ShouldBe(values * sizeof(float));
            pool.View<float>(buffer).Span.ToArray().ShouldAllBe(value => value == 1);
            pool.Room<float>(buffer, 0, 16).Span.ToArray().ShouldAllBe(value => value == 2);
            pool.Room<float>(next, 0, 48).Span.ToArray().ShouldAllBe(value => value == 2);
            unsafe
            {
                fixed (float* start = pool.Room<float>(buffer, 16, 32).Span)
                {
                    ((nint)start % 64).ShouldBe(0);
                }
            }

            Should.Throw<InvariantException>(() => pool.Room<float>(buffer, 16, 100_000));
        }
    }

    [Fact]
    public void NoBufferHasNoLengthAndNeedsNoRelease()
    {
        using BufferPool pool = new();
        pool.Length(BufferHandle.None).ShouldBe(0);
        pool.Retain(BufferHandle.None);
        pool.Release(BufferHandle.None);
        pool.View<float>(BufferHandle.None).Length.ShouldBe(0);
        Should.Throw<InvariantException>(() => pool.Bytes(BufferHandle.None));
        pool.Live.ShouldBe(0);
    }

    [Fact]
    public void APoolOfOneThreadCountsAndRecyclesAsASharedOneAndRefusesOthers()
    {
        using BufferPool pool = new(isShared: false);
        BufferHandle first = pool.Rent(1_000);
        pool.Retain(first);
        pool.Release(first);
        pool.Release(first);
        pool.Live.ShouldBe(0);
        Should.Throw<InvariantException>(() => pool.Release(first));
        BufferHandle second = pool.Rent(990), third = pool.Rent(990);
        (second.Slot, second.Generation).ShouldBe((first.Slot, first.Generation + 1));
        third.Slot.ShouldNotBe(first.Slot);

        Exception? refused = null;
        Thread other = new(() => refused = Record.Exception(() => pool.Rent(1)));
        other.Start();
        other.Join();
        refused.ShouldBeOfType<InvariantException>();
    }

    [Fact]
    public void TheLastReleaseRecyclesTheMemoryUnderANewGeneration()
    {
        using BufferPool pool = new();
        BufferHandle first = pool.Rent(1_000);
        pool.Retain(first);
        pool.Release(first);
        pool.Live.ShouldBe(1);
        pool.Release(first);
        pool.Live.ShouldBe(0);

        long reserved = pool.ReservedBytes;
        BufferHandle second = pool.Rent(990);
        pool.ReservedBytes.ShouldBe(reserved);
        second.Slot.ShouldBe(first.Slot);
        second.Generation.ShouldBe(first.Generation + 1);
    }

    [Fact]
    public void AHandleThatOutlivedItsBufferIsCaught()
    {
        using BufferPool pool = new();
        BufferHandle old = pool.Rent(64);
        pool.Release(old);
        ShouldBeCaught(pool, old);

        // Somebody else has the memory now; the old handle must not reach it.
        pool.Rent(64).Slot.ShouldBe(old.Slot);
        ShouldBeCaught(pool, old);
        pool.Live.ShouldBe(1);
    }

    [Fact]
    public void AViewStaysInsideItsBuffer()
    {
        using BufferPool pool = new();
        BufferHandle buffer = pool.Rent(24 * sizeof(float));
        pool.View<float>(buffer, 4, 6).Length.ShouldBe(24);
        pool.View<float>(buffer).Length.ShouldBe(24);
        Should.Throw<InvariantException>(() => pool.View<float>(buffer, 5, 5).Length);

        // The size class has room for more, the buffer has not.
        Should.Throw<InvariantException>(() => pool.View<double>(buffer, 4, 6).Length);
    }

    [Fact]
    public void AHeadIsCopiedWhenTheBufferIsReadAsAWholeAndNotBefore()
    {
        using BufferPool pool = new();
        BufferHandle head = pool.Rent(100), buffer = pool.Rent(160);
        pool.Bytes(head).Fill(1);
        pool.Bytes(buffer).Fill(2);
        pool.BeginWith(buffer, head);
        pool.HeadOf(buffer).ShouldBe(head);
        pool.ViewBehindHead<byte>(buffer).Span.ToArray().ShouldAllBe(value => value == 2);
        pool.Length(buffer).ShouldBe(160);

        pool.Bytes(buffer)[..100].ToArray().ShouldAllBe(value => value == 1);
        pool.View<byte>(buffer).Span[100..].ToArray().ShouldAllBe(value => value == 2);
        pool.HeadOf(buffer).ShouldBe(head, "who has asked for it may still read it");
    }

    [Fact]
    public void AHeadLivesAsLongAsTheBufferThatBeginsWithIt()
    {
        using BufferPool pool = new();
        BufferHandle head = pool.Rent(100), buffer = pool.Rent(160);
        pool.BeginWith(buffer, head);
        pool.Release(head);
        pool.Retain(buffer);
        pool.Release(buffer);
        pool.Live.ShouldBe(2);
        pool.Release(buffer);
        pool.Live.ShouldBe(0);

        BufferHandle next = pool.Rent(160);
        next.Slot.ShouldBe(buffer.Slot);
        pool.HeadOf(next).ShouldBe(BufferHandle.None);
    }

    [Fact]
    public void ABufferBeginsWithOneOtherThatFits()
    {
        using BufferPool pool = new();
        BufferHandle head = pool.Rent(100), large = pool.Rent(161), buffer = pool.Rent(160);
        Should.Throw<InvariantException>(() => pool.BeginWith(buffer, large));
        pool.BeginWith(buffer, head);
        Should.Throw<InvariantException>(() => pool.BeginWith(buffer, head));
    }

    [Fact]
    public void ManyThreadsMayBeTheFirstToReadAHead()
    {
        for (int round = 0; round < 200; round++)
        {
            using BufferPool pool = new();
            BufferHandle head = pool.Rent(10_000), buffer = pool.Rent(10_004);
            pool.Bytes(head).Fill(7);
            pool.Bytes(buffer).Fill(9);
            pool.BeginWith(buffer, head);
            RunOnThreads(4, _ => pool.Bytes(buffer)[..10_000].IndexOfAnyExcept((byte)7).ShouldBe(-1));
        }
    }

    [Fact]
    public void BuffersOfManySizesDoNotOverlap()
    {
        using BufferPool pool = new();
        Draw draw = new(1);
        List<(BufferHandle Buffer, byte Mark)> alive = [];
        for (int i = 0; i < 5_000; i++)
        {
            if (alive.Count > 0 && draw.Chance(0.45))
            {
                int index = draw.Below(alive.Count);
                pool.Bytes(alive[index].Buffer).IndexOfAnyExcept(alive[index].Mark).ShouldBe(-1);
                pool.Release(alive[index].Buffer);
                alive.RemoveAt(index);
            }
            else
            {
                BufferHandle buffer = pool.Rent(draw.Below(3_000));
                byte mark = (byte)draw.Below(256);
                pool.Bytes(buffer).Fill(mark);
                alive.Add((buffer, mark));
            }
        }

        pool.Live.ShouldBe(alive.Count);
    }

    [Fact]
    public void ARunThatRepeatsItselfReservesNothingMore()
    {
        using BufferPool pool = new();
        long reserved = 0;
        for (int step = 0; step < 100; step++)
        {
            BufferHandle[] buffers = [.. Enumerable.Range(1, 40).Select(i => pool.Rent(i * 97))];
            foreach (BufferHandle buffer in buffers)
            {
                pool.Release(buffer);
            }

            reserved = step == 0 ? pool.ReservedBytes : reserved;
            pool.ReservedBytes.ShouldBe(reserved);
        }

        // A quarter of waste at most, beyond the smallest class.
        reserved.ShouldBeLessThanOrEqualTo(Enumerable.Range(1, 40).Sum(i => Math.Max(256, (i * 97 * 5 / 4) + 64)));
    }

    [Fact]
    public void ManyThreadsMayRentShareAndRelease()
    {
        using BufferPool pool = new();
        RunOnThreads(4, thread =>
        {
            Draw draw = new((ulong)thread + 1);
            for (int i = 0; i < 20_000; i++)
            {
                BufferHandle buffer = pool.Rent(8 + draw.Below(2_000));
                byte mark = (byte)draw.Below(256);
                pool.Bytes(buffer)[0] = mark;
                pool.Retain(buffer);
                pool.Release(buffer);
                pool.Bytes(buffer)[0].ShouldBe(mark);
                pool.Release(buffer);
            }
        });
        pool.Live.ShouldBe(0);
    }

    [Fact]
    public void ReferencesOfOneBufferMayBeGivenBackByManyThreads()
    {
        using BufferPool pool = new();
        for (int round = 0; round < 200; round++)
        {
            BufferHandle buffer = pool.Rent(100);
            for (int reference = 1; reference < 400; reference++)
            {
                pool.Retain(buffer);
            }

            RunOnThreads(4, _ =>
            {
                for (int i = 0; i < 100; i++)
                {
                    pool.Release(buffer);
                }
            });
            pool.Live.ShouldBe(0);
        }
    }

    private static void ShouldBeCaught(BufferPool pool, BufferHandle old)
    {
        Should.Throw<InvariantException>(() => pool.Release(old));
        Should.Throw<InvariantException>(() => pool.Retain(old));
        Should.Throw<InvariantException>(() => pool.Bytes(old).Length);
        Should.Throw<InvariantException>(() => pool.View<float>(old).Length);
        Should.Throw<InvariantException>(() => pool.Length(old));
    }

    private static void RunOnThreads(int count, Action<int> work)
    {
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, count).Select(thread => new Thread(() =>
        {
            try
            {
                work(thread);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        failure.ShouldBeNull();
    }
}
