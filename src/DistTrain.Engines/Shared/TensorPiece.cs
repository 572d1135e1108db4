using System.Buffers.Binary;

namespace DistTrain.Engines.Shared;

/// <summary>Where a piece of a large tensor is that does not travel in the stream.</summary>
/// <param name="Offset">Bytes from the start of the memory that both sides see; −1 when the piece's bytes follow in the stream.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Number">Pieces put aside before it on this stream, modulo 2³².</param>
internal readonly record struct TensorPiece(long Offset, int Length, uint Number)
{
    /// <summary>Tensors from this size on are cut into pieces on streams that have an outlet: below it a copy through the kernel takes a few microseconds.</summary>
    public const int TensorBytesMin = 16 << 10;

    /// <summary>Largest piece: small enough that the reader takes one out of the cache while the next is being written.</summary>
    public const int BytesMax = 256 << 10;

    /// <summary>Bytes of this on a stream.</summary>
    public const int EncodedBytes = 16;

    /// <summary>Whether the bytes follow in the stream.</summary>
    public bool IsInStream => Offset < 0;

    /// <summary>Reads what <see cref="Write"/> wrote, whatever it says.</summary>
    public static TensorPiece Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt64LittleEndian(source),
        BinaryPrimitives.ReadInt32LittleEndian(source[sizeof(long)..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[(sizeof(long) + sizeof(int))..]));

    /// <summary>Writes it to the first <see cref="EncodedBytes"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, Offset);
        BinaryPrimitives.WriteInt32LittleEndian(destination[sizeof(long)..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(sizeof(long) + sizeof(int))..], Number);
    }
}
