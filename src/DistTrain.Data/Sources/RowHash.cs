using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace DistTrain.Data.Sources;

/// <summary>Hashes arrays where they are.</summary>
internal sealed class RowHash : IDisposable
{
    // Spans of bytes end at 2 GiB, and arrays of numbers do not.
    private const int ValuesAtOnce = 1 << 24;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public void Add<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        for (; values.Length > ValuesAtOnce; values = values[ValuesAtOnce..])
        {
            _hash.AppendData(MemoryMarshal.AsBytes(values[..ValuesAtOnce]));
        }

        _hash.AppendData(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public string End() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    public void Dispose() => _hash.Dispose();
}
