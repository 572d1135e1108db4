using System.Buffers.Binary;
using System.IO.Compression;

namespace DistTrain.Data.Sources;

/// <summary>
/// Decompresses a gzip file of one member (RFC 1952) and checks at its end that as many bytes came out as its last four bytes
/// say: the platform's stream ends without a word where a file was cut.
/// </summary>
internal sealed class GzipInput : Stream
{
    private readonly GZipStream _decompressed;
    private readonly uint _promised;
    private long _delivered;

    public GzipInput(FileStream file)
    {
        Span<byte> trailer = stackalloc byte[4];
        file.Position = Math.Max(0, file.Length - 4);
        file.ReadAtLeast(trailer, 4, throwOnEndOfStream: false);
        _promised = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        file.Position = 0;
        _decompressed = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _delivered;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int read = _decompressed.Read(buffer);
        _delivered += read;
        return read > 0 || buffer.IsEmpty || (uint)_delivered == _promised
            ? read
            : throw new InvalidDataException($"{_delivered} bytes came out, and its end says {_promised}");
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _decompressed.Dispose();
        }

        base.Dispose(disposing);
    }
}
