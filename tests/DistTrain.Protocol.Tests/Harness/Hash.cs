namespace DistTrain.Protocol.Tests.Harness;

/// <summary>Stands for arithmetic: the value of a buffer is the hash of the expression that made it.</summary>
internal static class Hash
{
    public static ulong Of(params ReadOnlySpan<ulong> parts)
    {
        ulong hash = 0x9E37_79B9_7F4A_7C15;
        foreach (ulong part in parts)
        {
            hash = unchecked((hash ^ part) * 0xBF58_476D_1CE4_E5B9);
            hash ^= hash >> 29;
        }

        return hash;
    }

    public static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
}
