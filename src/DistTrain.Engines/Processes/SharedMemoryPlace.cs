using System.Buffers.Binary;

namespace DistTrain.Engines.Processes;

/// <summary>What a process opens another's <see cref="SharedMemory"/> by; the default for none.</summary>
/// <param name="Process">The system's number of the process that made it.</param>
/// <param name="Descriptor">Its descriptor there.</param>
/// <param name="DataBytes">Its size.</param>
/// <param name="Nonce">What it starts with, so that no other memory is taken for it.</param>
internal readonly record struct SharedMemoryPlace(int Process, int Descriptor, long DataBytes, Guid Nonce)
{
    /// <summary>Bytes of this on a wire.</summary>
    public const int EncodedBytes = (2 * sizeof(int)) + sizeof(long) + 16;

    /// <summary>Reads what <see cref="Write"/> wrote, whatever it says.</summary>
    public static SharedMemoryPlace Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt32LittleEndian(source),
        BinaryPrimitives.ReadInt32LittleEndian(source[4..]),
        BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
        new Guid(source[16..EncodedBytes]));

    /// <summary>Writes it to the first <see cref="EncodedBytes"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, Process);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Descriptor);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], DataBytes);
        Nonce.TryWriteBytes(destination[16..]);
    }
}
