using System.Buffers.Binary;

namespace DistTrain.Akka.Streams;

/// <summary>
/// One end of a stream with a credit window: the writer has at most so many bytes on their way that the reader has not taken, which the
/// reader tells in the other direction of the same connection. So a reader that is slow holds up its writer and not its own memory.
/// </summary>
internal sealed class CreditStream(Stream inner, long window) : OneWayStream
{
    private readonly byte[] _total = new byte[sizeof(long)];
    private long _written, _credited, _taken, _told;

    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        _taken += read;
        if (_taken - _told >= window / 4)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_total, _taken);
            inner.Write(_total);
            inner.Flush();
            _told = _taken;
        }

        return read;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            while (_written - _credited >= window)
            {
                inner.ReadExactly(_total);
                _credited = BinaryPrimitives.ReadInt64LittleEndian(_total);
            }

            int piece = (int)Math.Min(buffer.Length, window - (_written - _credited));
            inner.Write(buffer[..piece]);
            _written += piece;
            buffer = buffer[piece..];
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
