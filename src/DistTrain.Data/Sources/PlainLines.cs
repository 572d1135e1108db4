namespace DistTrain.Data.Sources;

/// <summary>
/// The lines of a stream as bytes, as long as whoever reads them accepts them; the rest, from the first line that was not accepted on, is still there afterwards as a
/// stream.
/// </summary>
internal sealed class PlainLines(Stream stream)
{
    // A line that is longer is no row that anybody trains with.
    private const int BufferBytesMax = 256 << 20;

    private byte[] _buffer = new byte[1 << 18];
    private int _start, _end, _next, _searched;
    private bool _ended;

    /// <summary>Lines accepted.</summary>
    public int Accepted { get; private set; }

    /// <summary>Whether anything, be it a byte order mark, was accepted.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Accepts a mark of UTF-8 at the start of the stream; false where another encoding is marked there.</summary>
    public bool AcceptByteOrderMark()
    {
        while (_end < 4 && Fill())
        {
        }

        ReadOnlySpan<byte> start = _buffer.AsSpan(0, _end);
        if (start.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            _start = 3;
            HasBegun = true;
            return true;
        }

        return !start.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) && !start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])
            && !start.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF]);
    }

    /// <summary>The line after those accepted, without its end (\n or \r\n); false when there is none that has an end.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> line)
    {
        _searched = Math.Max(_searched, _start);
        while (true)
        {
            int found = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                (int end, _searched) = (_searched + found, _searched + found);
                _next = end + 1;
                line = _buffer.AsSpan(_start, end - _start);
                line = line is [.., (byte)'\r'] ? line[..^1] : line;
                return true;
            }

            _searched = _end;
            if (!Fill())
            {
                line = default;
                return false;
            }
        }
    }

    /// <summary>Accepts the line that was peeked at.</summary>
    public void Accept()
    {
        (_start, HasBegun) = (_next, true);
        Accepted++;
    }

    /// <summary>What was not accepted.</summary>
    public Stream Rest() => new RestStream(_buffer.AsMemory(_start, _end - _start), stream);

    private bool Fill()
    {
        if (_ended)
        {
            return false;
        }

        if (_end == _buffer.Length)
        {
            if (_start == 0 && _buffer.Length >= BufferBytesMax)
            {
                return false;
            }

            byte[] target = _start < _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
            _buffer.AsSpan(_start, _end - _start).CopyTo(target);
            (_buffer, _start, _end, _searched) = (target, 0, _end - _start, _searched - _start);
        }

        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
        return !_ended;
    }

    private sealed class RestStream(ReadOnlyMemory<byte> head, Stream tail) : Stream
    {
        private ReadOnlyMemory<byte> _head = head;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (_head.IsEmpty)
            {
                return tail.Read(buffer);
            }

            int count = Math.Min(buffer.Length, _head.Length);
            _head.Span[..count].CopyTo(buffer);
            _head = _head[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
