using DistTrain.Engines.Processes;
using DistTrain.Engines.Shared;
using DistTrain.Numerics.Randomness;
using DistTrain.Protocol.Wire;
using Shouldly;
using Xunit;

namespace DistTrain.Engines.Tests.Processes;

public sealed class SharedMemoryTests
{
    private const int DataBytes = 10_000;

    [SkippableFact]
    public void WhatIsPutAsideIsTakenWhateverTheSizesAndHoweverFarTheReaderIsBehind()
    {
        using SharedMemory memory = Create();
        using RingWriter writer = new(memory);
        using RingReader reader = new(Open(memory));
        RandomStream random = new(1, RandomPurpose.GeneratedData);
        Queue<(TensorPiece Piece, byte[] Bytes)> under = new();
        int aside = 0, inStream = 0;
        for (int i = 0; i < 5_000; i++)
        {
            byte[] bytes = [.. Enumerable.Range(0, 1 + random.Below(3 * i, 4_000)).Select(at => (byte)(i + at))];
            TensorPiece piece = writer.Put(bytes);
            (aside, inStream) = piece.IsInStream ? (aside, inStream + 1) : (aside + 1, inStream);
            under.Enqueue((piece, bytes));
            for (int take = random.Below((3 * i) + 1, 4); take > 0 && under.TryDequeue(out (TensorPiece Piece, byte[] Bytes) next); take--)
            {
                ShouldTake(reader, next.Piece, next.Bytes);
            }
        }

        // Both ways were gone.
        aside.ShouldBeGreaterThan(1_000);
        inStream.ShouldBeGreaterThan(100);
    }

    [SkippableFact]
    public void BeforeTheReaderHasOpenedItEverythingGoesThroughTheStream()
    {
        using SharedMemory memory = Create();
        using RingWriter writer = new(memory);
        writer.Put(new byte[100]).IsInStream.ShouldBeTrue();
        using SharedMemory opened = Open(memory);
        writer.Put(new byte[100]).IsInStream.ShouldBeFalse();
    }

    [SkippableTheory]
    [InlineData(5)]
    [InlineData(-1)]
    public void AReaderThatSaysItHasTakenWhatItCannotHaveLosesItsConnection(long taken)
    {
        using SharedMemory memory = Create();
        using RingWriter writer = new(memory);
        using SharedMemory opened = Open(memory);
        writer.Put(new byte[100]);
        opened.Taken = taken;
        Should.Throw<IOException>(() => writer.Put(new byte[100]));
    }

    [SkippableTheory]
    [InlineData(-5, 100, 0)]
    [InlineData(DataBytes, 100, 0)]
    [InlineData(DataBytes - 99, 100, 0)]
    [InlineData(long.MaxValue, 100, 0)]
    [InlineData(0, 99, 0)]
    [InlineData(0, 100, 1)]
    public void APieceThatCannotBeThereIsNoFrame(long offset, int length, int number)
    {
        using SharedMemory memory = Create();
        using RingWriter writer = new(memory);
        using RingReader reader = new(Open(memory));
        writer.Put(new byte[100]);
        byte[] destination = new byte[100];
        Should.Throw<FrameException>(() => reader.Take(new TensorPiece(offset, length, (uint)number), destination));
        Should.NotThrow(() => reader.Take(new TensorPiece(0, 100, 0), destination));
    }

    [Fact]
    public void AConnectionWithoutSharedMemoryTakesNoPieceOfIt()
    {
        using RingReader reader = new(null);
        Should.Throw<FrameException>(() => reader.Take(new TensorPiece(0, 100, 0), new byte[100]));
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
    public void ARingThatAnotherThreadClosesIsALostStream()
    {
        SharedMemory memory = Create();
        RingWriter writer = new(memory);
        using SharedMemory opened = Open(memory);
        writer.Dispose();
        Should.Throw<ObjectDisposedException>(() => writer.Put(new byte[100]));
    }

    [SkippableFact]
    public void FramesComeOutAsTheyWentIn()
    {
        using SharedMemory memory = Create(1 << 20);
        using MemoryStream bytes = new();
        using BufferPool pool = new();
        using RingWriter ring = new(memory);
        using RingReader inlet = new(Open(memory));
        using FrameWriter writer = new(pool);
        using OutletStream stream = new(ring, bytes);
        int[] sizes = [100, TensorPiece.TensorBytesMin, TensorPiece.BytesMax + 1, 3 * TensorPiece.BytesMax, 900_000];
        foreach (int size in sizes)
        {
            Protocol.Jobs.BufferHandle tensor = pool.Rent(size);
            pool.Bytes(tensor).Fill((byte)size);
            writer.Write(new Protocol.Messages.Envelope(1, 1, new(0), 1, new(1), 1, 1, 1, new Protocol.Messages.Weights(1, 0, tensor, default)), stream);
        }

        // What finds no place aside is in the stream; the rest leaves sixteen bytes there.
        writer.Flush(stream);
        bytes.Length.ShouldBeInRange(900_000, sizes.Sum() - TensorPiece.BytesMax);
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

    private static void ShouldTake(RingReader reader, in TensorPiece piece, byte[] bytes)
    {
        if (!piece.IsInStream)
        {
            byte[] taken = new byte[bytes.Length];
            reader.Take(piece, taken);
            taken.AsSpan().SequenceEqual(bytes).ShouldBeTrue();
        }
    }

    private sealed class OutletStream(RingWriter ring, Stream inner) : Stream, ITensorOutlet
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public TensorPiece Put(ReadOnlySpan<byte> piece) => ring.Put(piece);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
