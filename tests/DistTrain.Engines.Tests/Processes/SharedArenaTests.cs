using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class SharedArenaTests
{
    private const int ConnectionBytes = 1 << 20, Tensor = 100_000;

    // Three buffers of a tensor and something.
    private const int ArenaBytes = 400_000;

    [SkippableFact]
    public void ATensorInTheArenaIsReadWhereItIs()
    {
        using Pair pair = new();
        BufferHandle sent = pair.Rent(7);
        TensorPlace place = pair.Lender.Put(sent, pair.Pool);
        place.Offset.ShouldBeGreaterThanOrEqualTo(ConnectionBytes);
        BufferHandle seen = pair.Borrower.Adopt(place, Tensor, pair.Peer);
        pair.Peer.Bytes(seen).IndexOfAnyExcept((byte)7).ShouldBe(-1);

        // One memory: what is written to it now both sides see.
        pair.Pool.Bytes(sent)[Tensor - 1] = 9;
        pair.Peer.Bytes(seen)[Tensor - 1].ShouldBe((byte)9);
    }

    [SkippableFact]
    public void WhatIsLentIsNotReusedUntilEveryReaderHasGivenItBack()
    {
        using Pair pair = new(), other = new(pair);
        BufferHandle sent = pair.Rent(7);
        BufferHandle first = pair.Borrower.Adopt(pair.Lender.Put(sent, pair.Pool), Tensor, pair.Peer);
        BufferHandle second = other.Borrower.Adopt(other.Lender.Put(sent, pair.Pool), Tensor, other.Peer);
        pair.Pool.Release(sent);
        BufferHandle next = pair.Rent(8);
        pair.Peer.Bytes(first)[0].ShouldBe((byte)7);
        pair.Pool.Release(next);

        pair.Peer.Release(first);
        PutSmall(pair);
        pair.Rent(9);
        other.Peer.Bytes(second)[0].ShouldBe((byte)7);

        other.Peer.Release(second);
        PutSmall(other);
        pair.Pool.Live.ShouldBe(1);
    }

    [SkippableFact]
    public void WhatAReaderHasOfALostConnectionStaysUntilItGivesItBack()
    {
        using Pair pair = new();
        BufferHandle seen = pair.Borrower.Adopt(pair.LendAway(7), Tensor, pair.Peer);
        pair.Lender.Dispose();
        pair.Borrower.Dispose();
        pair.Arena.Sweep();
        pair.Pool.Live.ShouldBe(1);
        pair.Peer.Bytes(seen)[0].ShouldBe((byte)7);

        pair.Peer.Release(seen);
        pair.Arena.Sweep();
        pair.Pool.Live.ShouldBe(0);
    }

    [SkippableFact]
    public void WhatAReaderHadThatHasEndedIsFreeAgain()
    {
        using Pair pair = new();
        pair.LendAway(7).IsInStream.ShouldBeFalse();
        pair.Opened.Reader = int.MaxValue;
        pair.Lender.Dispose();
        pair.Pool.Live.ShouldBe(1);
        pair.Arena.Sweep();
        pair.Pool.Live.ShouldBe(0);
    }

    [SkippableFact]
    public void AReaderThatTellsNonsenseKeepsItsBuffersForGood()
    {
        using Pair pair = new();
        pair.LendAway(7);
        pair.Opened.Return(5, 0);
        pair.Lender.Dispose();
        pair.Arena.Sweep();
        pair.Arena.Sweep();
        pair.Pool.Live.ShouldBe(1);
    }

    [SkippableFact]
    public void AReaderThatDoesNotSeeTheArenaGetsCopies()
    {
        using Pair pair = new();
        pair.Opened.IsArenaOpened = false;
        BufferHandle sent = pair.Rent(7);
        TensorPlace place = pair.Lender.Put(sent, pair.Pool);
        place.Offset.ShouldBeInRange(0, ConnectionBytes - Tensor);
        BufferHandle seen = pair.Borrower.Adopt(place, Tensor, pair.Peer);
        pair.Pool.Bytes(sent)[0] = 9;
        pair.Peer.Bytes(seen)[0].ShouldBe((byte)7);
    }

    [SkippableFact]
    public void WhatFindsNoRoomInTheArenaIsCopied()
    {
        using Pair pair = new();
        TensorPlace[] places = [.. Enumerable.Range(0, 5).Select(value => pair.Lender.Put(pair.Rent((byte)value), pair.Pool))];
        places.Count(place => place.Offset >= ConnectionBytes).ShouldBe(3);
        for (int i = 0; i < places.Length; i++)
        {
            BufferHandle seen = pair.Borrower.Adopt(places[i], Tensor, pair.Peer);
            pair.Peer.Bytes(seen).IndexOfAnyExcept((byte)i).ShouldBe(-1);
        }
    }

    [SkippableFact]
    public void MemoryOfTheArenaIsNeverTakenOutOfThePool()
    {
        using Pair pair = new();
        BufferHandle inside = pair.Rent(7);
        pair.Pool.TryTakeMemory(inside, out _, out _).ShouldBeFalse();
        BufferHandle outside = pair.Pool.Rent(TensorPlace.TensorBytesMin / 2);
        pair.Pool.TryTakeMemory(outside, out nint block, out long capacity).ShouldBeTrue();
        NativeBlocks.Give(block, capacity);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(ArenaBytes - Tensor + 64)]
    [InlineData(long.MaxValue - ConnectionBytes - 63)]
    public void ATensorThatCannotBeInTheArenaIsNoFrame(long offset)
    {
        using Pair pair = new();
        Should.Throw<FrameException>(() => pair.Borrower.Adopt(new TensorPlace(ConnectionBytes + offset, 0), Tensor, pair.Peer));
    }

    [SkippableFact]
    public void MoreThanThereAreSlotsGoesThroughTheStream()
    {
        using Pair pair = new();
        BufferHandle sent = pair.Rent(7);
        for (int i = 0; i < SharedMemory.SlotsMax; i++)
        {
            pair.Lender.Put(sent, pair.Pool).IsInStream.ShouldBeFalse();
        }

        pair.Lender.Put(sent, pair.Pool).IsInStream.ShouldBeTrue();
        pair.Lender.Put(new byte[100]).IsInStream.ShouldBeTrue();
    }

    /// <summary>A lender hears of what came back when it lends something again.</summary>
    private static void PutSmall(Pair pair) => pair.Borrower.Adopt(pair.Lender.Put(new byte[100]), 100, pair.Peer);

    /// <summary>A connection of two processes, both of them this one.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly bool _ownsArena;

        public Pair(Pair? sameSender = null)
        {
            Skip.IfNot(OperatingSystem.IsLinux(), "Memory without a name is Linux's.");
            _ownsArena = sameSender is null;
            Arena = sameSender?.Arena ?? SharedArena.TryCreate(ArenaBytes).ShouldNotBeNull();
            Pool = sameSender?.Pool ?? new BufferPool(Arena);
            SharedMemory memory = SharedMemory.TryCreate(ConnectionBytes).ShouldNotBeNull();
            Lender = new TensorLender(memory, Arena);
            Borrower = TensorBorrower.Open(memory.Place, Arena.Place);
            Opened = memory;
        }

        public SharedArena Arena { get; }

        public BufferPool Pool { get; }

        public BufferPool Peer { get; } = new();

        public TensorLender Lender { get; }

        public TensorBorrower Borrower { get; }

        /// <summary>The connection's memory, which both sides write.</summary>
        public SharedMemory Opened { get; }

        public BufferHandle Rent(byte value)
        {
            BufferHandle tensor = Pool.Rent(Tensor);
            Pool.Bytes(tensor).Fill(value);
            return tensor;
        }

        /// <summary>Lends a tensor to which the sender keeps no reference of its own.</summary>
        public TensorPlace LendAway(byte value)
        {
            BufferHandle tensor = Rent(value);
            TensorPlace place = Lender.Put(tensor, Pool);
            Pool.Release(tensor);
            return place;
        }

        public void Dispose()
        {
            Lender.Dispose();
            Borrower.Dispose();
            Peer.Dispose();
            if (_ownsArena)
            {
                Pool.Dispose();
                Arena.Dispose();
            }
        }
    }
}
