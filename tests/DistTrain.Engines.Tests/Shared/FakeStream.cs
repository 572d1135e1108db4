using DistTrain.Engines.Shared;

namespace DistTrain.Engines.Tests.Shared;

/// <summary>A stream over a <see cref="FakeWire"/>.</summary>
internal sealed class FakeStream(FakeWire wire) : Stream, IPromptStream
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
