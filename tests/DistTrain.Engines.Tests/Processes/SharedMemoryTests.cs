using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Jobs;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class SharedMemoryTests
{
    private const int DataBytes = 10_000;

    [SkippableFact]
    public void WhatIsLentKeepsItsValuesUntilItIsGivenBackInWhateverOrder()
    {
        using SharedMemory memory = Create();
        using BufferPool pool = new();
        using TensorLender lender = new(memory);
        using TensorBorrower borrower = new(Open(memory));
        RandomStream random = new(1, RandomPurpose.GeneratedData);
        List<(BufferHandle Buffer, byte[] Bytes)> borrowed = [];
        int inStream = 0;
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, 1 + random.Below(3 * i, 4_000)).Select(at => (byte)(i + at))];
            TensorPlace place = lender.Put(bytes);
            if (place.IsInStream)
            {
                inStream++;
            }
            else
            {
                borrowed.Add((borrower.Adopt(place, bytes.Length, pool), bytes));
            }

            for (int give = random.Below((3 * i) + 1, 4); give > 0 && borrowed.Count > 0; give--)
            {
                int index = random.Below((3 * i) + 2, borrowed.Count);
                pool.Bytes(borrowed[index].Buffer).SequenceEqual(borrowed[index].Bytes).ShouldBeTrue();
                pool.Release(borrowed[index].Buffer);
                borrowed.RemoveAt(index);
            }
        }

        // Both ways were gone.
        inStream.ShouldBeInRange(100, 4_000);
        pool.Live.ShouldBe(borrowed.Count);
    }

    [SkippableFact]
    public void WhatIsLentOutlivesTheConnection()
    {
        SharedMemory memory = Create();
        using BufferPool pool = new();
        TensorLender lender = new(memory);
        TensorBorrower borrower = new(Open(memory));
        byte[] bytes = [.. Enumerable.Repeat((byte)7, 100)];
        BufferHandle buffer = borrower.Adopt(lender.Put(bytes), bytes.Length, pool);
        lender.Dispose();
        borrower.Dispose();
        pool.Bytes(buffer).SequenceEqual(bytes).ShouldBeTrue();
        pool.Release(buffer);
        pool.Live.ShouldBe(0);
    }

    [SkippableFact]
    public void BeforeTheReaderHasOpenedItEverythingGoesThroughTheStream()
    {
        using SharedMemory memory = Create();
        using TensorLender lender = new(memory);
        lender.Put(new byte[100]).IsInStream.ShouldBeTrue();
        using SharedMemory opened = Open(memory);
        lender.Put(new byte[100]).IsInStream.ShouldBeFalse();
    }

    [SkippableTheory]
    [InlineData(0, 1)]
    [InlineData(0, -1)]
    [InlineData(5, 0)]
    public void AReaderThatGivesBackWhatItCannotHaveLosesItsConnection(long number, int slot)
    {
        using SharedMemory memory = Create();
        using TensorLender lender = new(memory);
        using SharedMemory opened = Open(memory);
        lender.Put(new byte[100]);
        opened.Return(number, slot);
        Should.Throw<IOException>(() => lender.Put(new byte[100]));
    }

    [SkippableTheory]
    [InlineData(-64, 1)]
    [InlineData(long.MinValue, 1)]
    [InlineData(1, 1)]
    [InlineData(DataBytes, 1)]
    [InlineData(DataBytes - 80, 1)]
    [InlineData(long.MaxValue - 63, 1)]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(0, SharedMemory.SlotsMax)]
    public void ATensorThatCannotBeThereIsNoFrame(long offset, int slot)
    {
        using SharedMemory memory = Create();
        using BufferPool pool = new();
        using TensorLender lender = new(memory);
        using TensorBorrower borrower = new(Open(memory));
        borrower.Adopt(lender.Put(new byte[100]), 100, pool);
        Should.Throw<FrameException>(() => borrower.Adopt(new TensorPlace(offset, slot), 100, pool));
        Should.NotThrow(() => borrower.Adopt(lender.Put(new byte[100]), 100, pool));
    }

    [Fact]
    public void AConnectionWithoutSharedMemoryTakesNoTensorOfIt()
    {
        using TensorBorrower borrower = new(null);
        using BufferPool pool = new();
        Should.Throw<FrameException>(() => borrower.Adopt(new TensorPlace(0, 0), 100, pool));
    }

    [SkippableFact]
    public void MemoryThatIsNotTheRightOneIsNotOpened()
    {
        using SharedMemory memory = Create();
        SharedMemoryPlace place = memory.Place;
        SharedMemory.TryOpen(place with { Nonce = Guid.Empty }).ShouldBeNull();
        SharedMemory.TryOpen(place with { DataBytes = DataBytes + 1 }).ShouldBeNull();
        SharedMemory.TryOpen(place with { DataBytes = long.MaxValue }).ShouldBeNull();
        SharedMemory.TryOpen(place with { Descriptor = 100_000 }).ShouldBeNull();
        SharedMemory.TryOpen(place with { Descriptor = 0 }).ShouldBeNull();
        SharedMemory.TryOpen(place with { Process = int.MaxValue }).ShouldBeNull();
        memory.IsOpened.ShouldBeFalse();
    }

    [SkippableFact]
    public void MemoryThatAnotherThreadClosesIsALostStream()
    {
        SharedMemory memory = Create();
        using TensorLender lender = new(memory);
        using SharedMemory opened = Open(memory);
        lender.Dispose();
        Should.Throw<ObjectDisposedException>(() => lender.Put(new byte[100]));
    }

    [SkippableFact]
    public void FramesComeOutAsTheyWentIn()
    {
        using SharedMemory memory = Create(1 << 20);
        using MemoryStream bytes = new();
        using BufferPool pool = new();
        using TensorLender lender = new(memory);
        using TensorBorrower inlet = new(Open(memory));
        using FrameWriter writer = new(pool);
        using OutletStream stream = new(lender, bytes);
        int[] sizes = [100, TensorPlace.TensorBytesMin - 1, TensorPlace.TensorBytesMin, 500_000, 900_000, 100_000];
        foreach (int size in sizes)
        {
            BufferHandle tensor = pool.Rent(size);
            pool.Bytes(tensor).Fill((byte)size);
            writer.Write(new Protocol.Messages.Envelope(1, 1, new(0), 1, new(1), 1, 1, 1, new Protocol.Messages.Weights(1, 0, tensor, default)), stream);
        }

        // What finds no place aside is in the stream; the rest leaves a few bytes there.
        writer.Flush(stream);
        bytes.Length.ShouldBeInRange(900_000, 950_000);
        bytes.Position = 0;
        using FrameReader reader = new(bytes, pool, inlet);
        foreach (int size in sizes)
        {
            Protocol.Messages.Weights weights = (Protocol.Messages.Weights)reader.Read(_ => { }).Message;
            pool.Bytes(weights.Buffer).ToArray().ShouldBe(Enumerable.Repeat((byte)size, size));
        }
    }

    private static SharedMemory Create(long bytes = DataBytes)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "Memory without a name is Linux's.");
        return SharedMemory.TryCreate(bytes).ShouldNotBeNull();
    }

    private static SharedMemory Open(SharedMemory memory) => SharedMemory.TryOpen(memory.Place).ShouldNotBeNull();

    private sealed class OutletStream(TensorLender lender, Stream inner) : Stream, ITensorOutlet
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public TensorPlace Put(BufferHandle tensor, BufferPool pool)
        {
            bool hasRoom = HasRoomFor(tensor, pool);
            TensorPlace place = lender.Put(tensor, pool);
            place.IsInStream.ShouldBe(!hasRoom);
            return place;
        }

        public bool HasRoomFor(BufferHandle tensor, BufferPool pool) => lender.HasRoomFor(tensor, pool);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
