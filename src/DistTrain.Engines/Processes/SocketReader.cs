using System.Net.Sockets;
using DistTrain.Protocol.Wire;

namespace DistTrain.Engines.Processes;

/// <summary>Reads small pieces of a socket through a buffer of its own, and large ones straight into the caller's memory. One thread.</summary>
internal sealed class SocketReader(Socket socket) : IPayloadSource
{
    private byte[] _buffer = new byte[64 << 10];
    private int _start, _end;

    /// <summary>The next bytes, taken; valid until the next call. The count was checked against a limit.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (_end - _start < count)
        {
            Gather(count);
        }

        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, count);
        _start += count;
        return bytes;
    }

    public void Fill(Span<byte> destination)
    {
        int buffered = Math.Min(destination.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        _start += buffered;
        for (Span<byte> rest = destination[buffered..]; !rest.IsEmpty;)
        {
            rest = rest[Receive(rest)..];
        }
    }

    private void Gather(int count)
    {
        byte[] target = count > _buffer.Length ? new byte[count] : _buffer;
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        (_buffer, _end, _start) = (target, _end - _start, 0);
        while (_end < count)
        {
            _end += Receive(_buffer.AsSpan(_end));
        }
    }

    private int Receive(Span<byte> destination)
    {
        int received = socket.Receive(destination);
        return received > 0 ? received : throw new EndOfStreamException("the connection was closed");
    }
}
