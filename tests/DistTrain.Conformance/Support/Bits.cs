using System.Security.Cryptography;
using DistTrain.Engines;
using DistTrain.Numerics.Layers;

namespace DistTrain.Conformance.Support;

/// <summary>What is compared where bits must be equal.</summary>
internal static class Bits
{
    /// <summary>SHA-256 of all parameters' bytes, in ordinal order of their names.</summary>
    public static string Of(RunOutcome outcome)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((ParameterSpec _, byte[] values) in outcome.Parameters.OrderBy(parameter => parameter.Spec.Name, StringComparer.Ordinal))
        {
            hash.AppendData(values);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
