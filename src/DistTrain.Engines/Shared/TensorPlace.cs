using System.Buffers.Binary;

namespace DistTrain.Engines.Shared;

/// <summary>Where a large tensor is that does not travel in the stream.</summary>
/// <param name="Offset">Bytes from the start of the memory that both sides see; −1 when the tensor's bytes follow in the stream.</param>
/// <param name="Slot">What the reader gives back when it is done with it.</param>
internal readonly record struct TensorPlace(long Offset, int Slot)
{
    /// <summary>Tensors from this size on may lie aside on streams that have an outlet: below it a copy through the kernel takes a few microseconds.</summary>
    public const int TensorBytesMin = 16 << 10;

    /// <summary>Bytes of this on a stream.</summary>
    public const int EncodedBytes = 12;

    /// <summary>The place of a tensor whose bytes follow in the stream.</summary>
    public static TensorPlace InStream => new(-1, -1);

    /// <summary>Whether the bytes follow in the stream.</summary>
    public bool IsInStream => Offset < 0;

    /// <summary>Reads what <see cref="Write"/> wrote, whatever it says.</summary>
    public static TensorPlace Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64LittleEndian(source), BinaryPrimitives.ReadInt32LittleEndian(source[sizeof(long)..]));

    /// <summary>Writes it to the first <see cref="EncodedBytes"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(destination[sizeof(long)..], Slot);
    }
}
