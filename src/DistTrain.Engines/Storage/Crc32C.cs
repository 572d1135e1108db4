using System.Buffers.Binary;
using System.Numerics;

namespace DistTrain.Engines.Storage;

/// <summary>CRC-32C (Castagnoli; RFC 3720, appendix B.4), which current processors compute themselves.</summary>
internal static class Crc32C
{
    /// <summary>The checksum of nothing, to go on from.</summary>
    public const uint Start = 0xFFFFFFFF;

    /// <summary>Goes on with more bytes; the last result is to be inverted by <see cref="End"/>.</summary>
    public static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }

    /// <summary>The checksum of everything added.</summary>
    public static uint End(uint crc) => ~crc;

    /// <summary>The checksum of one span.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => End(Add(Start, bytes));
}
