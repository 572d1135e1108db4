using System.Buffers;

namespace DistTrain.Engines.Simulated;

/// <summary>
/// The bytes of a message on its way, in an array that the next frames take over once everybody has read it: frames of large tensors would otherwise be most of
/// what a simulation does. One that nobody comes to read is left to the garbage collector.
/// </summary>
/// <param name="bytes">About how many there will be.</param>
internal sealed class SimulatedFrame(int bytes) : IBufferWriter<byte>
{
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(bytes);
    private int _length;

    /// <summary>How many times it is still to be read: 1, or 2 where the network delivers it twice.</summary>
    public int Readers { get; set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public void Advance(int count) => _length += count;

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        int needed = checked(_length + Math.Max(1, sizeHint));
        if (needed > _bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, (int)Math.Min(Array.MaxLength, 2L * _bytes.Length)));
            Bytes.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException("Frames are written by spans.");

    /// <summary>Says that a reader is done; after the last one the bytes are gone.</summary>
    public void Done()
    {
        if (--Readers == 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            (_bytes, _length) = ([], 0);
        }
    }
}
